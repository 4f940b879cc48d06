//! The transport: a boxed tower service over whole requests and responses, by default reqwest.

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

/// A service that takes a whole request body and returns a whole response body.
pub(super) type Transport =
    BoxCloneSyncService<http::Request<Bytes>, http::Response<Bytes>, BoxError>;

/// The longest response of the service; a longer one is an error.
const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// The time after which an idle connection is closed, so that the client closes first.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The age at which connections are renewed, so that a changed address of the service is noticed.
const CONNECTION_AGE: Duration = Duration::from_secs(300);

/// The redirects that a download follows. It carries no key, so they are harmless.
const MAX_DOWNLOAD_REDIRECTS: usize = 3;

/// The transport of downloads. It never carries the key.
#[derive(Clone)]
pub(super) enum Downloads {
    /// Streams the bytes.
    Streamed(reqwest::Client),
    /// Reads a whole body, through a custom transport.
    Whole(Transport),
}

/// The settings of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    /// The proxy of every request; `None` for that of the environment.
    pub(super) proxy: Option<reqwest::Proxy>,
    /// Root certificates besides those of the platform.
    pub(super) roots: Vec<reqwest::Certificate>,
    pub(super) resolver: Option<Resolver>,
}

/// A name resolver in place of the system's.
#[derive(Clone)]
pub(super) struct Resolver(pub(super) Arc<Lookup>);

type Lookup = dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync;

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = found.await?.into_iter();
            // Port 0 means the port of the address.
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

    /// Returns a transport that never follows a redirect, since the key would be sent along.
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

    /// Returns a client for downloads, whose timeout bounds each pause and not the whole.
    pub(super) fn downloads(&self, https_only: bool) -> Result<reqwest::Client, ConfigError> {
        self.client()
            .redirect(reqwest::redirect::Policy::limited(MAX_DOWNLOAD_REDIRECTS))
            .read_timeout(self.request_timeout)
            .https_only(https_only)
            .build()
            .map_err(|error| ConfigErrorKind::Tls(error.into()).into())
    }
}

/// The HTTP library, with connections that are renewed from time to time.
#[derive(Clone)]
struct Reqwest {
    network: Network,
    client: Arc<Mutex<Aged>>,
}

struct Aged {
    client: reqwest::Client,
    since: Instant,
    /// The last address, as given and as parsed. Nearly all requests have the same.
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

    /// Returns the current client and the parsed address.
    ///
    /// Connections that are open finish their requests.
    fn client(&self, uri: &http::Uri) -> Result<(reqwest::Client, reqwest::Url), BoxError> {
        let mut aged = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if aged.since.elapsed() >= CONNECTION_AGE {
            aged.since = Instant::now();
            // If no new client can be built, the old one remains in use.
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
                if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                    return Err(
                        format!("the response is longer than {MAX_RESPONSE_BYTES} bytes").into(),
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
