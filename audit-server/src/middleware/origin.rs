//! Cross-origin request protection (CSRF).
//!
//! The server's own routes need no key on loopback, so a web page could call them through the
//! browser of its visitor. The responses stay hidden from the page, since no header allows it to
//! read them. This check prevents it from changing anything.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::host::host;
use crate::own_path::is_own_path;
use crate::response::ApiResponse;

/// Rejects requests from another origin to the server's own routes with a 403: every request that
/// may change something, and every read except a followed link.
pub(crate) async fn check_origin(request: Request, next: Next) -> Response {
    if is_own_path(request.uri().path()) && is_cross_origin(&request) {
        let message = "The local server's own routes cannot be used from a page of another origin.";
        return ApiResponse::message(StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

fn is_cross_origin(request: &Request) -> bool {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Browsers send an `Origin` with every request that changes something, and newer ones send
    // `Sec-Fetch-*`. Other clients send neither.
    let other_origin =
        headers.contains_key(header::ORIGIN) && !is_same_origin(headers, host(request));
    let cross_site = match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => false,
        Some(_) => true,
    };
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let followed = text("sec-fetch-mode") == Some("navigate");
    other_origin || (cross_site && !(safe && followed))
}

/// Returns `true` if the origin is this server, under the name the request used.
fn is_same_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
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

    fn cross_origin(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder()
            .method(method)
            .uri("/_local/faults")
            .header("host", "localhost:4100");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_cross_origin(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn programs_and_the_own_page_are_unrestricted() {
        assert!(!cross_origin("POST", &[]));
        for method in ["GET", "POST", "DELETE"] {
            let own = [
                ("origin", "http://localhost:4100"),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
            ];
            assert!(!cross_origin(method, &own));
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
            assert!(cross_origin("POST", &[("origin", origin)]), "{origin}");
        }
        let two = [("origin", "http://localhost:4100"), ("origin", "null")];
        assert!(cross_origin("POST", &two));
        for site in ["cross-site", "same-site"] {
            let linked = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            assert!(!cross_origin("GET", &linked));
            assert!(cross_origin("POST", &linked), "a form");
            let fetched = [("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")];
            assert!(cross_origin("GET", &fetched));
        }
    }
}
