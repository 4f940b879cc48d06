//! The transport: a boxed tower service over whole requests and answers, reqwest unless another is given.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tower::util::BoxCloneSyncService;

use super::config::{ConfigError, Problem};

/// Any error of a transport.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body goes out whole, an answer's body comes back whole.
pub(super) type Transport =
    BoxCloneSyncService<http::Request<Bytes>, http::Response<Bytes>, BoxError>;

/// No answer of the service is longer; the rest of a longer one is not read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// A connection that was idle for longer is not used again, so that we are the ones who close it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many redirects a download follows. It carries no key, so they are harmless.
const MAX_DOWNLOAD_REDIRECTS: usize = 3;

/// What a connection is made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    /// For every request; the environment's if there is none.
    pub(super) proxy: Option<reqwest::Proxy>,
    /// Beside those of the platform.
    pub(super) roots: Vec<reqwest::Certificate>,
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
        client
    }

    /// A transport that never follows a redirect, since the key would go along.
    pub(super) fn calls(&self) -> Result<Transport, ConfigError> {
        let client = self
            .client()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(self.request_timeout)
            .build()
            .map_err(|error| Problem::Tls(error.into()))?;
        Ok(BoxCloneSyncService::new(Reqwest(client)))
    }

    /// For downloads, which are as long as they are: the time-out is for each pause and not for the whole.
    pub(super) fn downloads(&self, https_only: bool) -> Result<reqwest::Client, ConfigError> {
        self.client()
            .redirect(reqwest::redirect::Policy::limited(MAX_DOWNLOAD_REDIRECTS))
            .read_timeout(self.request_timeout)
            .https_only(https_only)
            .build()
            .map_err(|error| Problem::Tls(error.into()).into())
    }
}

#[derive(Clone, Debug)]
struct Reqwest(reqwest::Client);

impl tower_service::Service<http::Request<Bytes>> for Reqwest {
    type Response = http::Response<Bytes>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let mut answer = client.execute(request.try_into()?).await?;
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
