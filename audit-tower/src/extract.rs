//! The request's scope as an extractor of axum.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Once;

use audit_core::Scope;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::resolve;

/// The request's shared slot: for a sign-in, an extractor or a handler that learns who acts, for
/// whom, or that nothing needs to be recorded. It is the [`Scope`] that
/// [`AuditLayer`](crate::AuditLayer) opened.
///
/// ```
/// use audit_tower::{Actor, Audit};
/// use axum::extract::Path;
///
/// async fn accept_invitation(audit: Audit, Path(token): Path<String>) {
///     // The token says who came; nobody is signed in yet.
///     audit.set_actor(Actor::user("user_42"));
///     audit.set_organization("org_7");
/// }
/// # let _: axum::Router = axum::Router::new().route("/{token}", axum::routing::post(accept_invitation));
/// ```
///
/// It can also be taken inside an extractor of yours, by `Audit::from_request_parts(parts, state)`.
///
/// # Errors
///
/// Where no layer runs and the task has no scope either, the request is refused with [`NoScope`].
/// `Option<Audit>` is `None` there.
#[derive(Clone, Debug)]
pub struct Audit(Scope);

impl Audit {
    /// The scope, to be carried elsewhere, such as into a spawned task by [`Scope::in_scope`].
    #[must_use]
    pub fn into_scope(self) -> Scope {
        self.0
    }
}

impl Deref for Audit {
    type Target = Scope;

    fn deref(&self) -> &Scope {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Audit {
    type Rejection = NoScope;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoScope> {
        resolve::scope(&parts.extensions)
            .map(Self)
            .ok_or_else(NoScope::logged)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Audit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(resolve::scope(&parts.extensions).map(Self))
    }
}

/// A handler asked for [`Audit`], and there is none, because no [`AuditLayer`](crate::AuditLayer)
/// runs around it.
///
/// The answer is 500 with a body that says so. An error log says it too, once in a process.
#[derive(Debug)]
#[non_exhaustive]
pub struct NoScope;

impl NoScope {
    fn logged() -> Self {
        static LOGGED: Once = Once::new();
        LOGGED.call_once(|| tracing::error!("request refused with 500: {Self}"));
        Self
    }
}

impl fmt::Display for NoScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the handler takes `Audit`, but no `AuditLayer` runs around it: add \
             `.layer(AuditLayer::new(recorder))` to the router after the route, or take `Option<Audit>`",
        )
    }
}

impl std::error::Error for NoScope {}

impl IntoResponse for NoScope {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
