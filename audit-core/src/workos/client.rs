//! The client: one place that sends a request and reads the answer.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use super::error::Error;
use super::transport::Transport;

/// What may stand unencoded in a segment of a path (RFC 3986, "unreserved").
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A client of the WorkOS Audit Logs API, and the sink that delivers events to it. Clones share connections.
///
/// Calls make one attempt each; only the dispatcher repeats, since of all calls only the creation of an event can be
/// repeated without doing it twice ([WorkOS: idempotency](https://workos.com/docs/reference/audit-logs/event)).
#[derive(Clone)]
pub struct WorkOs {
    inner: Arc<Inner>,
}

struct Inner {
    authorization: HeaderValue,
    base_url: String,
    calls: Transport,
    deliveries: Transport,
}

impl WorkOs {
    pub(super) fn new(
        authorization: HeaderValue,
        base_url: String,
        calls: Transport,
        deliveries: Transport,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                authorization,
                base_url,
                calls,
                deliveries,
            }),
        }
    }

    /// The address in front of the paths.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    pub(super) fn calls(&self) -> Transport {
        self.inner.calls.clone()
    }

    /// The dispatcher's own connections.
    pub(super) fn deliveries(&self) -> Transport {
        self.inner.deliveries.clone()
    }

    /// A request to a path, with the key.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Bytes>, Error> {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.inner.base_url))
            .header(AUTHORIZATION, self.inner.authorization.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| Error::transport(error.into()))
    }

    /// Calls and reads the answer.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: Request<Bytes>,
    ) -> Result<T, Error> {
        let response = send(self.calls(), request).await?;
        serde_json::from_slice(response.body()).map_err(|_| Error::answer(&response))
    }
}

/// Sends a request; an answer that is no success is an error.
pub(super) async fn send(
    transport: Transport,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Error> {
    let response = transport.oneshot(request).await.map_err(Error::transport)?;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(Error::answer(&response))
    }
}

/// A value as one segment of a path.
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
