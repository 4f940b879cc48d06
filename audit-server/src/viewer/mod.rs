//! The page that shows the stored events, embedded in the program. It loads nothing from elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const PAGE: &str = include_str!("index.html");
const STYLE: &str = include_str!("viewer.css");
const SCRIPT: &str = include_str!("viewer.js");

/// Own files only, nothing inline, no frames around it, and its form leads back to it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page over the routes that begin with `api`, of one organization if there is one.
///
/// Both texts stand in attributes as they are: they have to be of letters, digits, `_`, `-` and
/// `/`.
pub(crate) fn page(api: &str, organization: Option<&str>) -> Response {
    let html = PAGE
        .replace("{{api}}", api)
        .replace("{{organization}}", organization.unwrap_or_default());
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, file("text/html; charset=utf-8", html)).into_response()
}

pub(crate) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

pub(crate) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

fn file(content_type: &'static str, text: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (StatusCode::OK, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for needle in ["style=", "onclick", "javascript:", "http://", "https://"] {
            assert!(!PAGE.contains(needle), "{needle}");
        }
        assert_eq!(PAGE.matches("<script").count(), 1);
        assert!(!PAGE.contains("<style"));
        for needle in ["innerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(needle), "{needle}");
        }
        assert!(!STYLE.contains("url("));
    }
}
