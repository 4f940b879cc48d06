//! Responses to requests without a route, in JSON and with a hint.

use axum::Extension;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};

use super::route::RouteList;
use crate::response::ApiResponse;

/// The similarity required for a hint, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.6;

/// The characters of an unknown path that a response echoes.
const MAX_ECHOED_CHARS: usize = 200;

pub(crate) async fn not_found(
    Extension(routes): Extension<RouteList>,
    method: Method,
    uri: Uri,
) -> ApiResponse {
    let path: String = uri.path().chars().take(MAX_ECHOED_CHARS).collect();
    let hint = nearest(&routes, &method, &path)
        .map(|(method, path)| format!(" Did you mean {method} {path}?"))
        .unwrap_or_default();
    ApiResponse::message(
        StatusCode::NOT_FOUND,
        &format!("No route for {method} {path}.{hint}"),
    )
}

pub(crate) async fn method_not_allowed(request: Request) -> ApiResponse {
    let path: String = request
        .uri()
        .path()
        .chars()
        .take(MAX_ECHOED_CHARS)
        .collect();
    ApiResponse::message(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("{} is not allowed for {path}.", request.method()),
    )
}

/// Returns the most similar route, if it is similar enough to be the intended one; of equally
/// similar routes, the one with the same method.
fn nearest<'a>(
    routes: &'a RouteList,
    method: &Method,
    path: &str,
) -> Option<(&'a Method, &'static str)> {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    // A name in the path is replaced by the placeholder, so that its length does not count.
    let generic = match path
        .strip_prefix("/audit_logs/actions/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((_, rest)) => format!("/audit_logs/actions/{{actionname}}/{rest}"),
        None => path,
    };
    let similarity = |route: &(&Method, &str)| {
        let same_method = if route.0 == method { 0.001 } else { 0.0 };
        strsim::normalized_levenshtein(&route.1.to_ascii_lowercase(), &generic) + same_method
    };
    let best = routes
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(&best) >= MIN_SIMILARITY).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::table::routes;

    fn hint(method: Method, path: &str) -> Option<String> {
        nearest(&RouteList::of(&routes()), &method, path)
            .map(|(method, path)| format!("{method} {path}"))
    }

    #[test]
    fn misspelled_path_is_recognised() {
        for path in [
            "/audit_logs/event",
            "/audit-logs/events",
            "/AUDIT_LOGS/EVENTS",
            "/audit_logs/events/",
            "/v1/audit_logs/events",
        ] {
            assert_eq!(
                hint(Method::POST, path).as_deref(),
                Some("POST /audit_logs/events"),
                "{path}"
            );
        }
        let schemas = hint(
            Method::GET,
            "/audit_logs/actions/a.very.long.action.name.indeed/schema",
        );
        assert_eq!(
            schemas.as_deref(),
            Some("GET /audit_logs/actions/{actionName}/schemas")
        );
    }

    #[test]
    fn hint_prefers_the_method_of_the_request() {
        assert_eq!(
            hint(Method::POST, "/_local/organization").as_deref(),
            Some("POST /_local/organizations")
        );
        assert_eq!(
            hint(Method::GET, "/_local/organization").as_deref(),
            Some("GET /_local/organizations")
        );
    }

    #[test]
    fn unrelated_path_gets_no_hint() {
        assert_eq!(hint(Method::GET, "/user_management/sessions"), None);
        assert_eq!(hint(Method::GET, "/"), None);
    }
}
