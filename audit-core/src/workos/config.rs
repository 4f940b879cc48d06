//! The configuration of the client: key, address, timeouts. The only file that reads the
//! environment.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use tower::util::BoxCloneSyncService;
use zeroize::Zeroizing;

use super::client::{KeySource, Parts, WorkOs};
use super::config_error::{ConfigError, ConfigErrorKind};
use super::key::ApiKey;
use super::transport::{Downloads, Network, Resolver, Transport};
use super::transport_failure::BoxError;
use crate::sink::RateLimit;
use crate::telemetry::LogLimit;

/// The default address of the service ([WorkOS API reference](https://workos.com/docs/reference)).
const BASE_URL: &str = "https://api.workos.com";
/// The default timeout of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default number of retries of a reading call: enough for a broken connection and a server
/// restart.
const READ_RETRIES: u32 = 2;
/// The default rate of deliveries per second, of the 6,000 a minute that the service accepts per
/// key ([WorkOS: rate limits](https://workos.com/docs/reference/rate-limits)).
const EVENTS_PER_SECOND: f64 = 90.0;
/// The default timeout of an attempt.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl WorkOs {
    /// Returns a client configured by the environment: `WORKOS_API_KEY`, and optionally
    /// `WORKOS_BASE_URL`.
    ///
    /// # Errors
    ///
    /// `WORKOS_API_KEY` is not set or not a key; `WORKOS_BASE_URL` is not an `http` or `https`
    /// address.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one file that reads the environment"
    )]
    pub fn from_env() -> Result<Self, ConfigError> {
        let Ok(key) = std::env::var("WORKOS_API_KEY") else {
            return Err(ConfigErrorKind::NoKey.into());
        };
        let mut builder = Self::builder(ApiKey::new(key)?);
        if let Ok(url) = std::env::var("WORKOS_BASE_URL") {
            builder = builder.base_url(url);
        }
        builder.build()
    }

    /// Returns a builder of a client.
    ///
    /// ```
    /// use audit_core::workos::{ApiKey, WorkOs};
    ///
    /// let workos = WorkOs::builder(ApiKey::new("sk_test_local")?).base_url("http://127.0.0.1:4100").build()?;
    /// # Ok::<_, audit_core::workos::ConfigError>(())
    /// ```
    pub fn builder(key: ApiKey) -> WorkOsBuilder {
        WorkOsBuilder {
            key,
            base_url: BASE_URL.to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            read_retries: READ_RETRIES,
            proxy: None,
            roots: Vec::new(),
            transport: None,
            resolver: None,
            key_source: None,
            rate_limit: RateLimit::per_second(EVENTS_PER_SECOND),
        }
    }
}

/// A builder of a [`WorkOs`] client.
#[must_use]
pub struct WorkOsBuilder {
    key: ApiKey,
    base_url: String,
    connect_timeout: Duration,
    request_timeout: Duration,
    read_retries: u32,
    proxy: Option<Zeroizing<String>>,
    roots: Vec<Vec<u8>>,
    transport: Option<Transport>,
    resolver: Option<Resolver>,
    key_source: Option<KeySource>,
    rate_limit: RateLimit,
}

impl WorkOsBuilder {
    /// Sets the address of the service; default `https://api.workos.com`.
    ///
    /// A local server's is `http://127.0.0.1:4100`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets the timeout of a connection; default 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of an attempt, to the last byte of the response; default 30 seconds.
    ///
    /// For a download it bounds each pause and not the whole.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets the rate at which a recorder delivers with this client; default 90 events a second, a
    /// tenth below what the service accepts per key.
    ///
    /// Several processes with one key share that limit, so give each a part of it. The limit
    /// applies to deliveries; other calls are few, and are not counted.
    pub fn rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.rate_limit = rate_limit;
        self
    }

    /// Sets a function that reads the key again after the service refused it (401 or 403), such as
    /// after a rotation.
    ///
    /// `None` keeps the key. A recorder's events wait meanwhile and nothing is lost. The function
    /// runs on the thread that made the call, so it must take no longer than reading a small file.
    ///
    /// ```
    /// use audit_core::workos::{ApiKey, WorkOs};
    ///
    /// let read = || ApiKey::new(std::fs::read_to_string("/run/secrets/workos").ok()?.trim()).ok();
    /// let key = ApiKey::new("sk_test_first")?;
    /// let workos = WorkOs::builder(key).key_source(read).build()?;
    /// # Ok::<_, audit_core::workos::ConfigError>(())
    /// ```
    pub fn key_source(mut self, read: impl Fn() -> Option<ApiKey> + Send + Sync + 'static) -> Self {
        self.key_source = Some(Arc::new(read));
        self
    }

    /// Replaces the system's name resolution.
    ///
    /// The function is called for each new connection; connections are renewed after five minutes.
    ///
    /// ```
    /// use audit_core::workos::{ApiKey, WorkOs};
    ///
    /// let key = ApiKey::new("sk_test_local")?;
    /// let local = |_name| std::future::ready(Ok(vec!["127.0.0.1".parse().unwrap()]));
    /// let workos = WorkOs::builder(key).base_url("http://audit.internal:4100").resolver(local).build()?;
    /// # Ok::<_, audit_core::workos::ConfigError>(())
    /// ```
    pub fn resolver<F, R>(mut self, lookup: F) -> Self
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        self.resolver = Some(Resolver(Arc::new(move |name| Box::pin(lookup(name)))));
        self
    }

    /// Sets the number of retries of a reading call (`GET`) after a transport error, 408, 429 or
    /// 5xx; default 2.
    ///
    /// The waits grow from half a second, with jitter, and are at least the service's
    /// `Retry-After`; one of more than 30 seconds is returned as an error. The client retries no
    /// other call.
    pub fn read_retries(mut self, times: u32) -> Self {
        self.read_retries = times;
        self
    }

    /// Sends every request through a proxy, `http://…` or `https://…`; the address may contain a
    /// name and password.
    ///
    /// By default, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` apply.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Zeroizing::new(url.into()));
        self
    }

    /// Trusts further root certificates, one or more in PEM, besides those of the platform: for a
    /// proxy that terminates TLS.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Sends requests through a tower service instead of reqwest, such as a stack of your own or a
    /// recording for a test.
    ///
    /// The request carries the key, so the service must not follow redirects to other hosts. The
    /// timeouts, the proxy and the certificates of this builder do not apply to it. Downloads of
    /// exports use it as well, without the key; they are then held in memory whole, since such a
    /// service returns whole bodies.
    pub fn transport<S>(mut self, service: S) -> Self
    where
        S: tower_service::Service<http::Request<Bytes>, Response = http::Response<Bytes>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        self.transport = Some(BoxCloneSyncService::new(tower::util::MapErr::new(
            service,
            Into::into,
        )));
        self
    }

    /// Checks the settings and returns the client, without connecting.
    ///
    /// # Errors
    ///
    /// The base URL is not an `http` or `https` address without a query; the proxy is not an
    /// address; a root certificate is not PEM; the TLS library cannot start.
    pub fn build(self) -> Result<WorkOs, ConfigError> {
        let base_url = self.base_url.trim_end_matches('/').to_owned();
        let uri: Uri = base_url
            .parse()
            .map_err(|_| ConfigErrorKind::BaseUrl(base_url.clone()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https"))
            || uri.host().is_none()
            || uri.query().is_some()
        {
            return Err(ConfigErrorKind::BaseUrl(base_url).into());
        }
        let header = self.key.header()?;
        let (calls, deliveries, downloads) = match self.transport {
            Some(transport) => (
                transport.clone(),
                transport.clone(),
                Downloads::Whole(transport),
            ),
            // A connection pool is bound to the runtime that opened its connections, so the
            // dispatcher and callers need one each.
            None => {
                let network = Network {
                    connect_timeout: self.connect_timeout,
                    request_timeout: self.request_timeout,
                    proxy: self.proxy.as_ref().map(|url| proxy(url)).transpose()?,
                    roots: roots(&self.roots)?,
                    resolver: self.resolver,
                };
                let https_only = uri.scheme_str() == Some("https");
                let downloads = Downloads::Streamed(network.downloads(https_only)?);
                (network.calls()?, network.calls()?, downloads)
            }
        };
        Ok(WorkOs::new(Parts {
            authorization: RwLock::new(header),
            key_source: self.key_source,
            rate_limit: self.rate_limit,
            skew: LogLimit::new(),
            base_url,
            read_retries: self.read_retries,
            calls,
            deliveries,
            downloads,
        }))
    }
}

fn proxy(url: &str) -> Result<reqwest::Proxy, ConfigError> {
    // The library's own error would print the address, with the password.
    reqwest::Proxy::all(url).map_err(|_| ConfigErrorKind::Proxy.into())
}

fn roots(pems: &[Vec<u8>]) -> Result<Vec<reqwest::Certificate>, ConfigError> {
    let mut roots = Vec::new();
    for pem in pems {
        let found = reqwest::Certificate::from_pem_bundle(pem).unwrap_or_default();
        if found.is_empty() {
            return Err(ConfigErrorKind::Root.into());
        }
        roots.extend(found);
    }
    Ok(roots)
}

impl fmt::Debug for WorkOsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkOsBuilder")
            .field("key", &self.key)
            .field("base_url", &self.base_url)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("read_retries", &self.read_retries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_base_url_is_an_error_with_its_remedy() {
        let error = |result: Result<WorkOs, ConfigError>| result.unwrap_err().to_string();
        let key = || ApiKey::new("sk_test").unwrap();
        for url in ["", "ftp://x", "127.0.0.1:4100", "http://x?y=1", "not a url"] {
            assert!(
                error(WorkOs::builder(key()).base_url(url).build())
                    .contains("is not an http or https address"),
                "{url}"
            );
        }
    }

    #[test]
    fn a_proxy_and_roots_are_checked_by_build() {
        let builder = || WorkOs::builder(ApiKey::new("sk_test").unwrap());
        let error = builder()
            .proxy("http://me:canary@[broken")
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("the proxy is not an address"));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert!(builder().proxy("http://127.0.0.1:3128").build().is_ok());
        let error = builder().root_certificates("no PEM").build().unwrap_err();
        assert!(error.to_string().contains("is not PEM"), "{error}");
    }

    #[test]
    fn the_key_is_never_printed() {
        let key = ApiKey::new("sk_canary").unwrap();
        let client = WorkOs::builder(key.clone()).build().unwrap();
        let printed = format!(
            "{key:?} {client:?} {:?} {:?}",
            WorkOs::builder(key.clone()).proxy("http://me:canary@127.0.0.1:1"),
            key.header().unwrap()
        );
        assert!(!printed.contains("canary"), "{printed}");
    }
}
