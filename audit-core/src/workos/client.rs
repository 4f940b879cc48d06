//! The client: the one place that sends a request and reads the response.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderValue, Method, Request, Response, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use super::error::Error;
use super::key::ApiKey;
use super::retry;
use super::transport::{Downloads, Transport};
use crate::event::{now_millis, to_millis};
use crate::sink::RateLimit;
use crate::telemetry::LogLimit;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The clock skew that is tolerated without a warning.
const MOST_SKEW: Duration = Duration::from_secs(60);

/// The characters that need no encoding in a path segment (RFC 3986, "unreserved").
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A client of the WorkOS Audit Logs API, and the sink that delivers events to it. Clones share
/// connections.
///
/// A reading call is retried a few times
/// ([`WorkOsBuilder::read_retries`](super::WorkOsBuilder::read_retries)). A writing call makes one
/// attempt: only the creation of an event is idempotent ([WorkOS:
/// idempotency](https://workos.com/docs/reference/audit-logs/event)), and the dispatcher retries
/// that.
///
/// Every call may be cancelled at any time; the effect of a writing call is then unknown.
#[derive(Clone)]
pub struct WorkOs {
    inner: Arc<Parts>,
}

/// A function that reads the key again.
pub(super) type KeySource = Arc<dyn Fn() -> Option<ApiKey> + Send + Sync>;

pub(super) struct Parts {
    pub(super) authorization: RwLock<HeaderValue>,
    pub(super) key_source: Option<KeySource>,
    pub(super) rate_limit: RateLimit,
    /// Limits the warnings about clock skew.
    pub(super) skew: LogLimit,
    pub(super) base_url: String,
    pub(super) read_retries: u32,
    pub(super) calls: Transport,
    pub(super) deliveries: Transport,
    pub(super) downloads: Downloads,
}

impl WorkOs {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            inner: Arc::new(parts),
        }
    }

    /// Returns the address of the service.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    pub(super) fn calls(&self) -> Transport {
        self.inner.calls.clone()
    }

    pub(super) fn delivery_rate_limit(&self) -> RateLimit {
        self.inner.rate_limit.clone()
    }

    fn authorization(&self) -> HeaderValue {
        let header = self.inner.authorization.read();
        header.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the key again after the service refused it, if there is a key source.
    fn renew_key(&self, error: &Error) {
        if !error.is_unauthorized() {
            return;
        }
        // User code, so no lock is held while it runs.
        let read = self.inner.key_source.as_ref().and_then(|read| read());
        let Some(Ok(header)) = read.as_ref().map(ApiKey::header) else {
            return;
        };
        let mut current = self
            .inner
            .authorization
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if *current != header {
            *current = header;
            drop(current);
            tracing::info!("the audit log service refused the API key; another one was read");
        }
    }

    /// Warns when the clocks of this machine and the service differ, since events carry this
    /// machine's time.
    fn compare_clocks(&self, response: &Response<Bytes>) {
        let date = response.headers().get(DATE);
        let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let Some(theirs) = date.map(to_millis) else {
            return;
        };
        let skew = Duration::from_millis(now_millis().abs_diff(theirs));
        if skew > MOST_SKEW
            && let Some(suppressed) = self.inner.skew.admit()
        {
            tracing::warn!(
                suppressed,
                seconds = skew.as_secs(),
                "this machine's clock and the audit log service's differ; events carry this machine's time"
            );
        }
    }

    /// Sends a request; a response without a success status is an error.
    pub(super) async fn send(
        &self,
        transport: Transport,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let response = transport.oneshot(request).await.map_err(Error::transport)?;
        self.compare_clocks(&response);
        if response.status().is_success() {
            return Ok(response);
        }
        let error = Error::response(&response);
        self.renew_key(&error);
        Err(error)
    }

    /// Returns the dispatcher's own connections.
    pub(super) fn deliveries(&self) -> Transport {
        self.inner.deliveries.clone()
    }

    /// Returns a request to a path, with the key.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Bytes>, Error> {
        let uri = Uri::try_from(format!("{}{path}", self.inner.base_url))
            .map_err(|error| Error::transport(error.into()))?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization());
        headers.insert(ACCEPT, JSON);
        headers.insert(CONTENT_TYPE, JSON);
        Ok(request)
    }

    /// Returns the connections for downloads, which carry no key.
    pub(super) fn downloads(&self) -> &Downloads {
        &self.inner.downloads
    }

    /// Makes a writing call, in one attempt, and parses the response.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::transport(error.into()))?;
        let request = self.request(method, path, body.into())?;
        let response = self.send(self.calls(), request).await?;
        serde_json::from_slice(response.body()).map_err(|_| Error::response(&response))
    }

    /// Makes a reading call, with the configured retries.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.get_through(self.calls(), path).await
    }

    /// Makes a reading call over other connections.
    pub(super) async fn get_through<T: DeserializeOwned>(
        &self,
        transport: Transport,
        path: &str,
    ) -> Result<T, Error> {
        let mut retries = 0;
        let response = loop {
            let request = self.request(Method::GET, path, Bytes::new())?;
            let error = match self.send(transport.clone(), request).await {
                Ok(response) => break response,
                Err(error) => error,
            };
            match retry::wait(&error, retries).filter(|_| retries < self.inner.read_retries) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
            retries += 1;
        };
        serde_json::from_slice(response.body()).map_err(|_| Error::response(&response))
    }
}

/// Encodes a value as one path segment.
pub(super) fn segment(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, SEGMENT)
}

impl fmt::Debug for WorkOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkOs")
            .field("base_url", &self.inner.base_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::workos::canned::Canned;
    use crate::workos::export_request::ExportRequest;

    #[test]
    fn the_futures_of_all_calls_are_send() {
        fn moves(_: impl Send) {}
        let client = Canned::new().client();
        let now = std::time::UNIX_EPOCH;
        moves(client.configuration("o"));
        moves(client.create_schema("a", &0));
        moves(client.create_export(&ExportRequest::new("o", now, now)));
        moves(client.wait_for_export("e", std::time::Duration::MAX));
        moves(client.download_export("e"));
        moves(client.actions().collect());
        moves(client.schemas("a"));
    }
}
