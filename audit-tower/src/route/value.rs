//! The values that a route's event takes from the request.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "axum")]
use std::sync::atomic::{AtomicBool, Ordering};

use http::request::Parts;

/// A text that is read from a request: a path parameter, or the result of a function.
///
/// ```
/// use audit_tower::{AuditRoute, RequestValue, action, path};
///
/// let tenant = RequestValue::with(|request| {
///     Some(request.headers.get("x-tenant")?.to_str().ok()?.to_owned())
/// });
/// let audit = AuditRoute::new(action!("document.delete"))
///     .target("document", path("doc_id"))
///     .metadata("tenant", tenant);
/// # drop(audit);
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequestValue(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "axum")]
    Path {
        parameter: &'static str,
        /// `true` once an error about its absence was logged.
        logged: Arc<AtomicBool>,
    },
    With(Find),
}

type Find = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// The result of looking up a value.
pub(super) enum Lookup {
    Found(String),
    /// There is no value, and none is required.
    Absent,
    /// A required value is missing or unreadable.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only a path parameter is required")
    )]
    Unresolved,
}

/// Takes a parameter of the matched route, percent-decoded: `path("doc_id")` of
/// `/documents/{doc_id}`.
///
/// A route without the parameter is a mistake in the program. One error is logged, the id of a
/// target is then `unresolved`, and metadata is left out.
///
/// ```
/// use audit_tower::{AuditRoute, action, path};
///
/// let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
/// # drop(audit);
/// ```
#[cfg(feature = "axum")]
pub fn path(parameter: &'static str) -> RequestValue {
    RequestValue(Source::Path {
        parameter,
        logged: Arc::default(),
    })
}

impl RequestValue {
    /// Calls a function with the request's head, before the handler runs.
    ///
    /// If it returns `None`, the target or metadata entry is left out.
    pub fn with(find: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::With(Arc::new(find)))
    }

    /// Looks the value up in a request.
    pub(super) fn find(&self, parts: &mut Parts) -> Lookup {
        match &self.0 {
            Source::With(find) => find(parts).map_or(Lookup::Absent, Lookup::Found),
            #[cfg(feature = "axum")]
            Source::Path { parameter, logged } => {
                use crate::parameter::{Parameter, path_parameter};
                match path_parameter(parts, parameter) {
                    Parameter::Found(value) => Lookup::Found(value),
                    // The client sent it. No extractor takes it either, so no error is logged.
                    Parameter::Unreadable => Lookup::Unresolved,
                    Parameter::Missing => {
                        if !logged.swap(true, Ordering::Relaxed) {
                            log_missing_parameter(parts, parameter);
                        }
                        Lookup::Unresolved
                    }
                }
            }
        }
    }
}

#[cfg(feature = "axum")]
fn log_missing_parameter(parts: &Parts, parameter: &str) {
    let route = crate::head::Route::of(parts);
    tracing::error!(
        parameter,
        route = route.as_str().unwrap_or("(no route)"),
        "audited route has no such parameter, so its events have an `unresolved` target or lack metadata: name a \
         parameter of the route in `path(..)`, and add `AuditRoute` to the route instead of around the router"
    );
}

impl fmt::Debug for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "axum")]
            Source::Path { parameter, .. } => f.debug_tuple("path").field(parameter).finish(),
            Source::With(_) => f.debug_tuple("with").finish_non_exhaustive(),
        }
    }
}
