//! The extractor of a request's scope for axum.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Once;

use audit_core::Scope;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::scope::request_scope;

/// Extracts the [`Scope`] of the request, which [`AuditLayer`](crate::AuditLayer) opened.
///
/// For middleware, extractors and handlers that set the actor or the organization themselves, or
/// that exempt the request.
///
/// ```
/// use audit_tower::{Actor, Audit};
/// use axum::extract::Path;
///
/// async fn accept_invitation(audit: Audit, Path(token): Path<String>) {
///     // The token identifies the user, who is not signed in yet.
///     audit.set_actor(Actor::user("user_42"));
///     audit.set_organization("org_7");
/// }
/// # let _: axum::Router = axum::Router::new().route("/{token}", axum::routing::post(accept_invitation));
/// ```
///
/// Your own extractor takes it by `Audit::from_request_parts(parts, state)`.
///
/// # Errors
///
/// If no layer runs around the handler and the task has no scope either, the request is rejected
/// with [`NoScope`]. `Option<Audit>` is then `None`.
#[derive(Clone, Debug)]
pub struct Audit(Scope);

impl Audit {
    /// Returns the scope, for example to carry it into a spawned task by [`Scope::in_scope`].
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
        request_scope(&parts.extensions)
            .map(Self)
            .ok_or_else(NoScope::logged)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Audit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(request_scope(&parts.extensions).map(Self))
    }
}

/// The rejection of [`Audit`] if no [`AuditLayer`](crate::AuditLayer) runs around the handler.
///
/// The response is 500, and its body explains the remedy. The same text is logged as an error, once
/// per process. A handler that may run without the scope takes `Option<Audit>`:
///
/// ```
/// use audit_tower::Audit;
///
/// async fn handler(audit: Option<Audit>) {
///     if let Some(audit) = audit {
///         audit.set_organization("org_7");
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(handler));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct NoScope;

impl NoScope {
    fn logged() -> Self {
        static LOGGED: Once = Once::new();
        LOGGED.call_once(|| tracing::error!("request rejected with 500: {Self}"));
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
