//! Requests to the whole router, without a socket.

use std::cell::LazyCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use crate::api_key::ApiKeys;
use crate::app::{App, AppConfig};
use crate::config::{DEFAULT_API_KEY, DEFAULT_ORGANIZATION, DEFAULT_READ_TIMEOUT, Data};
use crate::host::Hosts;
use crate::router::router;
use crate::signer::Signer;
use crate::store::{Store, add_organization};

/// The number of requests of one input. More would cost time and find nothing new.
const MAX_REQUESTS: usize = 8;

/// The number of response frames that are read; a stream has no end.
const MAX_FRAMES: usize = 32;

thread_local! {
    /// The clock is paused and jumps to the end of each wait, so waits take no time.
    static RUNTIME: LazyCell<Result<Runtime, std::io::Error>> = LazyCell::new(|| {
        Builder::new_current_thread().enable_time().start_paused(true).build()
    });
}

/// Sends the requests of the input to a new server.
///
/// Requests are separated by lines `%%`. Each is a line with method and path, lines with headers,
/// an empty line, and the body. `Host` and the API key are added if they are absent.
///
/// Checks that every response has a request id, that an error is JSON with a message, and that no
/// response is a 500, unless a fault was injected.
pub fn routes(bytes: &[u8]) {
    let requests = split(bytes, b"%%\n").take(MAX_REQUESTS).filter_map(read);
    let mut requests = requests.peekable();
    if requests.peek().is_none() {
        return;
    }
    RUNTIME.with(|runtime| match &**runtime {
        Ok(runtime) => runtime.block_on(async {
            let app = app();
            let mut router = router(Arc::clone(&app));
            for request in requests {
                let faulty = !app.faults.list().is_empty();
                check(&mut router, request, faulty).await;
            }
        }),
        Err(error) => unreachable!("a runtime without I/O cannot fail to start: {error}"),
    });
}

/// Splits the input at the separator.
fn split<'a>(bytes: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        match bytes.windows(mark.len()).position(|part| part == mark) {
            Some(at) => {
                rest = Some(&bytes[at + mark.len()..]);
                Some(&bytes[..at])
            }
            None => rest.take(),
        }
    })
}

fn read(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (&bytes[..end], &bytes[end + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = Method::from_bytes(first.next()?).ok()?;
    *request.uri_mut() = first.next()?.try_into().ok()?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    let key = HeaderValue::from_str(&format!("Bearer {DEFAULT_API_KEY}")).ok()?;
    headers.insert(header::AUTHORIZATION, key);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        headers.insert(name, value);
    }
    Some(request)
}

fn app() -> Arc<App> {
    let new = || {
        let app = Arc::new(App::new(AppConfig {
            store: Store::open(&Data::Memory).ok()?,
            keys: ApiKeys::new(&[DEFAULT_API_KEY.to_owned()]),
            hosts: Hosts::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 4_100))),
            clock: Box::new(crate::clock::SystemClock),
            signer: Signer::new().ok()?,
            export_delay: Duration::ZERO,
            rate_limit: None,
            read_timeout: DEFAULT_READ_TIMEOUT,
        }));
        let now = app.now();
        app.store
            .transact(|tx| add_organization(tx, DEFAULT_ORGANIZATION, None, now))
            .ok()?;
        Some(app)
    };
    let Some(app) = new() else {
        unreachable!("an in-memory database cannot fail to open");
    };
    app
}

async fn check(router: &mut Router, request: Request<Body>, faulty: bool) {
    let shown = format!("{} {}", request.method(), request.uri());
    let response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    assert!(response.headers().contains_key("x-request-id"), "{shown}");
    assert!(
        faulty || status != StatusCode::INTERNAL_SERVER_ERROR,
        "{shown}"
    );
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let failed = status.is_client_error() || status.is_server_error();
    assert!(is_json || !failed || faulty, "{shown} {status}");
    let Some(body) = whole(response).await else {
        return;
    };
    // The response to a HEAD has no body.
    if is_json && !faulty && !body.is_empty() {
        let body: Option<Value> = serde_json::from_slice(&body).ok();
        let Some(body) = body else {
            unreachable!("{shown} {status} is not JSON");
        };
        assert!(
            !failed
                || ["message", "error"]
                    .iter()
                    .any(|key| body.get(key).is_some()),
            "{shown} {status}: {body}"
        );
    }
}

/// Returns the body of a response, if it ends.
async fn whole(response: Response) -> Option<Vec<u8>> {
    let mut body = response.into_body();
    let mut read = Vec::new();
    for _ in 0..MAX_FRAMES {
        if body.is_end_stream() {
            return Some(read);
        }
        match body.frame().await {
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref()?),
            Some(Err(_)) => return None,
            None => return Some(read),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn plain_requests_keep_the_invariants() {
        super::routes(b"GET /health\n\n%%\nGET /_local/stream\n\n%%\nPOST /_local/faults\n\n{\"status\":500}%%\nGET /audit_logs/actions\n\n");
    }
}
