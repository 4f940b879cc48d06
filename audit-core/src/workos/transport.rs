//! The transport: a boxed tower service over whole requests and answers, reqwest unless another is
//! given.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use tower::util::BoxCloneSyncService;

use super::config_error::{ConfigError, ConfigErrorKind};
use super::transport_failure::BoxError;

/// A request's body goes out whole, an answer's body comes back whole.
pub(super) type Transport =
    BoxCloneSyncService<http::Request<Bytes>, http::Response<Bytes>, BoxError>;

/// No answer of the service is longer; the rest of a longer one is not read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// A connection that was idle for longer is not used again, so that we are the ones who close it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections are made anew after this long, so that a service that moved is found at its new
/// address.
const CONNECTION_AGE: Duration = Duration::from_secs(300);

/// How many redirects a download follows. It carries no key, so they are harmless.
const MAX_DOWNLOAD_REDIRECTS: usize = 3;

/// How files are fetched. Neither ever carries the key.
#[derive(Clone)]
pub(super) enum Downloads {
    /// As the bytes come.
    Streamed(reqwest::Client),
    /// Whole, by a transport of the user's.
    Whole(Transport),
}

/// What a connection is made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    /// For every request; the environment's if there is none.
    pub(super) proxy: Option<reqwest::Proxy>,
    /// Beside those of the platform.
    pub(super) roots: Vec<reqwest::Certificate>,
    pub(super) resolver: Option<Resolver>,
}

/// Looks names up in place of the system.
#[derive(Clone)]
pub(super) struct Resolver(pub(super) Arc<Lookup>);

type Lookup = dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync;

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = found.await?.into_iter();
            // Port 0 stands for the port of the address.
            let addresses = addresses.map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}

impl Network {
    fn client(&self) -> reqwest::ClientBuilder {
        let mut client = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .user_agent(concat!("audit-core/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(self.roots.iter().cloned());
        if let Some(proxy) = &self.proxy {
            client = client.proxy(proxy.clone());
        }
        if let Some(resolver) = &self.resolver {
            client = client.dns_resolver(resolver.clone());
        }
        client
    }

    /// A transport that never follows a redirect, since the key would go along.
    pub(super) fn calls(&self) -> Result<Transport, ConfigError> {
        Ok(BoxCloneSyncService::new(Reqwest::new(self)?))
    }

    fn call_client(&self) -> Result<reqwest::Client, ConfigError> {
        self.client()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(self.request_timeout)
            .build()
            .map_err(|error| ConfigErrorKind::Tls(error.into()).into())
    }

    /// For downloads, which are as long as they are: the time-out is for each pause and not for the
    /// whole.
    pub(super) fn downloads(&self, https_only: bool) -> Result<reqwest::Client, ConfigError> {
        self.client()
            .redirect(reqwest::redirect::Policy::limited(MAX_DOWNLOAD_REDIRECTS))
            .read_timeout(self.request_timeout)
            .https_only(https_only)
            .build()
            .map_err(|error| ConfigErrorKind::Tls(error.into()).into())
    }
}

/// The HTTP library, with connections that are made anew from time to time.
#[derive(Clone)]
struct Reqwest {
    network: Network,
    client: Arc<Mutex<Aged>>,
}

struct Aged {
    client: reqwest::Client,
    since: Instant,
    /// The last address, as the caller writes it and as the library does. Nearly all requests have
    /// the same.
    address: Option<(http::Uri, reqwest::Url)>,
}

impl Reqwest {
    fn new(network: &Network) -> Result<Self, ConfigError> {
        let aged = Aged {
            client: network.call_client()?,
            since: Instant::now(),
            address: None,
        };
        Ok(Self {
            network: network.clone(),
            client: Arc::new(Mutex::new(aged)),
        })
    }

    /// The client of now, and the address as it writes it. Connections that are open go on with
    /// what they carry.
    fn client(&self, uri: &http::Uri) -> Result<(reqwest::Client, reqwest::Url), BoxError> {
        let mut aged = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if aged.since.elapsed() >= CONNECTION_AGE {
            aged.since = Instant::now();
            // Without a new one the old one still serves.
            if let Ok(client) = self.network.call_client() {
                aged.client = client;
            }
        }
        let url = match &aged.address {
            Some((known, url)) if known == uri => url.clone(),
            _ => {
                let url: reqwest::Url = uri.to_string().parse()?;
                aged.address = Some((uri.clone(), url.clone()));
                url
            }
        };
        Ok((aged.client.clone(), url))
    }
}

impl tower_service::Service<http::Request<Bytes>> for Reqwest {
    type Response = http::Response<Bytes>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let (head, body) = request.into_parts();
        let called = self.client(&head.uri);
        Box::pin(async move {
            let (client, url) = called?;
            let mut request = reqwest::Request::new(head.method, url);
            *request.headers_mut() = head.headers;
            *request.body_mut() = Some(body.into());
            let mut answer = client.execute(request).await?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                    return Err(
                        format!("the answer is longer than {MAX_ANSWER_BYTES} bytes").into(),
                    );
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = http::Response::new(body.freeze());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}
