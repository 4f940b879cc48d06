//! The viewer: a page that shows the stored events, embedded in the program. It loads nothing from
//! elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const PAGE: &str = include_str!("index.html");
const STYLE: &str = include_str!("viewer.css");
const SCRIPT: &str = include_str!("viewer.js");

/// The content security policy: own files only, nothing inline, no framing, and a form that targets
/// the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Returns the page for the routes under `api`, restricted to one organization if there is one.
///
/// Both strings are inserted into attributes unescaped: they must consist of letters, digits, `_`,
/// `-` and `/`.
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
    fn nothing_is_inline_or_loaded_from_elsewhere() {
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
