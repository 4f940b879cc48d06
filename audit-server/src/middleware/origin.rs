//! Requests that a web page of another origin makes a browser send.
//!
//! The server's own routes need no key on loopback, so a page on the internet could use them
//! through its reader's browser. The answers stay hidden from it, as no header allows it to read
//! them; what a request would change is protected here.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::host::host;
use crate::own_path::is_own_path;
use crate::response::ApiResponse;

/// Answers 403 to what comes from another origin: to anything that may change something, and to
/// reads other than following a link.
pub(crate) async fn check_origin(request: Request, next: Next) -> Response {
    if is_own_path(request.uri().path()) && is_foreign(&request) {
        let message = "The local server's own routes cannot be used from a page of another origin.";
        return ApiResponse::message(StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

fn is_foreign(request: &Request) -> bool {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Browsers send an `Origin` with whatever changes something, and newer ones say how a request
    // came about. Programs send neither.
    let other_origin = headers.contains_key(header::ORIGIN) && !is_same(headers, host(request));
    let other_site = match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => false,
        Some(_) => true,
    };
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let followed = text("sec-fetch-mode") == Some("navigate");
    other_origin || (other_site && !(safe && followed))
}

/// Whether the origin is this server, under the name by which it was called.
fn is_same(headers: &HeaderMap, host: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next().and_then(|origin| origin.to_str().ok());
    let authority = origin.and_then(|origin| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
    });
    match (authority, host) {
        (Some(authority), Some(host)) => {
            origins.next().is_none() && authority.eq_ignore_ascii_case(host)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn foreign(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder()
            .method(method)
            .uri("/_local/faults")
            .header("host", "localhost:4100");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_foreign(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn programs_and_the_own_page_may_do_everything() {
        assert!(!foreign("POST", &[]));
        for method in ["GET", "POST", "DELETE"] {
            let own = [
                ("origin", "http://localhost:4100"),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
            ];
            assert!(!foreign(method, &own));
        }
    }

    #[test]
    fn another_origin_may_only_link() {
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:3000",
            "http://localhost",
            "file://localhost:4100",
            "",
        ] {
            assert!(foreign("POST", &[("origin", origin)]), "{origin}");
        }
        let two = [("origin", "http://localhost:4100"), ("origin", "null")];
        assert!(foreign("POST", &two));
        for site in ["cross-site", "same-site"] {
            let linked = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            assert!(!foreign("GET", &linked));
            assert!(foreign("POST", &linked), "a form");
            let fetched = [("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")];
            assert!(foreign("GET", &fetched));
        }
    }
}
