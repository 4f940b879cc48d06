//! The extractor of a request's scope.

use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Once;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use audit_core::Scope;

use crate::scope::request_scope;

/// Extracts the [`Scope`] of the request, which [`AuditMiddleware`](crate::AuditMiddleware) opened.
///
/// For middleware, extractors and handlers that set the actor or the organization themselves, or
/// that exempt the request.
///
/// ```
/// use actix_web::{App, web};
/// use audit_actix::{Actor, Audit};
///
/// async fn accept_invitation(audit: Audit, token: web::Path<String>) -> &'static str {
///     // The token identifies the user, who is not signed in yet.
///     audit.set_actor(Actor::user("user_42"));
///     audit.set_organization("org_7");
///     "welcome"
/// }
/// # let _ = App::new().route("/{token}", web::post().to(accept_invitation));
/// ```
///
/// Your own extractor takes it by `Audit::extract(request)`.
///
/// # Errors
///
/// If no middleware runs around the handler and the task has no scope either, the request is
/// rejected with [`NoScope`]. `Option<Audit>` is then `None`.
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

impl FromRequest for Audit {
    type Error = NoScope;
    type Future = Ready<Result<Self, NoScope>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let scope = request_scope(&request.extensions());
        ready(scope.map(Self).ok_or(NoScope))
    }
}

/// The error of [`Audit`] if no [`AuditMiddleware`](crate::AuditMiddleware) runs around the
/// handler.
///
/// The response is 500, and its body explains the remedy. The same text is logged as an error, once
/// per process. A handler that may run without the scope takes `Option<Audit>`:
///
/// ```
/// use audit_actix::Audit;
///
/// async fn handler(audit: Option<Audit>) -> &'static str {
///     if let Some(audit) = audit {
///         audit.set_organization("org_7");
///     }
///     "welcome"
/// }
/// # let _ = actix_web::App::new().route("/", actix_web::web::post().to(handler));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct NoScope;

impl fmt::Display for NoScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the handler takes `Audit`, but no `AuditMiddleware` runs around it: add \
             `.wrap(AuditMiddleware::new(recorder))` to the `App`, or take `Option<Audit>`",
        )
    }
}

impl std::error::Error for NoScope {}

impl ResponseError for NoScope {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        static LOGGED: Once = Once::new();
        LOGGED.call_once(|| tracing::error!("request rejected with 500: {self}"));
        HttpResponse::InternalServerError()
            .content_type("text/plain; charset=utf-8")
            .body(self.to_string())
    }
}
