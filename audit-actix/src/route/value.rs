//! What a route's event takes from the request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::ServiceRequest;

use crate::parameter::{Parameter, parameter};

/// A text of a request: a parameter of its path, or what a function of yours finds in its head.
#[derive(Clone)]
#[must_use]
pub struct RequestValue(Source);

#[derive(Clone)]
enum Source {
    Path {
        name: &'static str,
        /// Whether its absence was complained about.
        complained: Arc<AtomicBool>,
    },
    With(Arc<Find>),
}

type Find = dyn Fn(&ServiceRequest) -> Option<String> + Send + Sync;

/// What became of a value.
pub(super) enum Found {
    Value(String),
    /// There is none, and there need not be one.
    Absent,
    /// It should be there and is not.
    Unresolved,
}

/// A parameter of the matched route, percent-decoded: `path("doc_id")` of `/documents/{doc_id}`.
///
/// A route that has no such parameter is a mistake in the program, which one error log names; a
/// target is then `unresolved`, and metadata left out.
pub fn path(parameter: &'static str) -> RequestValue {
    RequestValue(Source::Path {
        name: parameter,
        complained: Arc::default(),
    })
}

impl RequestValue {
    /// Asks a function of yours, which sees the request before the handler does. For `None` there
    /// is no target and no metadata.
    pub fn with(find: impl Fn(&ServiceRequest) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::With(Arc::new(find)))
    }

    pub(super) fn find(&self, request: &ServiceRequest) -> Found {
        match &self.0 {
            Source::With(find) => find(request).map_or(Found::Absent, Found::Value),
            Source::Path { name, complained } => match parameter(request, name) {
                Parameter::Found(value) => Found::Value(value),
                // The client's doing, and no extractor will take it either.
                Parameter::Unreadable => Found::Unresolved,
                Parameter::Missing => {
                    if !complained.swap(true, Ordering::Relaxed) {
                        complain(request, name);
                    }
                    Found::Unresolved
                }
            },
        }
    }
}

fn complain(request: &ServiceRequest, parameter: &str) {
    let route = request.match_pattern();
    tracing::error!(
        parameter,
        route = route.as_deref().unwrap_or("(no route)"),
        "an audited route has no such parameter, so its events have an `unresolved` target or lack metadata: name one of \
         the route's parameters in `path(..)`"
    );
}

impl fmt::Debug for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Path { name, .. } => f.debug_tuple("path").field(name).finish(),
            Source::With(_) => f.debug_tuple("with").finish_non_exhaustive(),
        }
    }
}
