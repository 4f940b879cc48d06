//! What a route's event takes from the request.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "axum")]
use std::sync::atomic::{AtomicBool, Ordering};

use http::request::Parts;

/// A text of a request: a parameter of its path, or what a function of yours finds in its head.
#[derive(Clone)]
#[must_use]
pub struct RequestValue(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "axum")]
    Path {
        parameter: &'static str,
        /// Whether its absence was complained about.
        complained: Arc<AtomicBool>,
    },
    With(Find),
}

type Find = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// What became of a value.
pub(super) enum Found {
    Value(String),
    /// There is none, and there need not be one.
    Absent,
    /// It should be there and is not.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only a path says that something should be there")
    )]
    Unresolved,
}

/// A parameter of the matched route, percent-decoded: `path("doc_id")` of `/documents/{doc_id}`.
///
/// A route that has no such parameter is a mistake in the program, which one error log names; a
/// target is then `unresolved`, and metadata left out.
#[cfg(feature = "axum")]
pub fn path(parameter: &'static str) -> RequestValue {
    RequestValue(Source::Path {
        parameter,
        complained: Arc::default(),
    })
}

impl RequestValue {
    /// Asks a function of yours, which sees the request before the handler does. For `None` there
    /// is no target and no metadata.
    pub fn with(find: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::With(Arc::new(find)))
    }

    pub(super) fn find(&self, parts: &mut Parts) -> Found {
        match &self.0 {
            Source::With(find) => find(parts).map_or(Found::Absent, Found::Value),
            #[cfg(feature = "axum")]
            Source::Path {
                parameter,
                complained,
            } => {
                use crate::resolve::{Parameter, path_parameter};
                match path_parameter(parts, parameter) {
                    Parameter::Found(value) => Found::Value(value),
                    // The client's doing, and no extractor will take it either.
                    Parameter::Unreadable => Found::Unresolved,
                    Parameter::Missing => {
                        if !complained.swap(true, Ordering::Relaxed) {
                            complain(parts, parameter);
                        }
                        Found::Unresolved
                    }
                }
            }
        }
    }
}

#[cfg(feature = "axum")]
fn complain(parts: &Parts, parameter: &str) {
    let route = crate::head::Route::of(parts);
    tracing::error!(
        parameter,
        route = route.as_str().unwrap_or("(no route)"),
        "an audited route has no such parameter, so its events have an `unresolved` target or lack metadata: name one of \
         the route's parameters in `path(..)`, and add `AuditRoute` to the route and not around the router"
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
