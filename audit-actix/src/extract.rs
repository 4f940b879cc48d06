//! The request's scope as an extractor.

use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Once;

use actix_web::body::BoxBody;
use actix_web::dev::{Extensions, Payload};
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use audit_core::Scope;

/// The request's shared slot: for a sign-in, an extractor or a handler that learns who acts, for
/// whom, or that nothing needs to be recorded. It is the [`Scope`] that
/// [`AuditMiddleware`](crate::AuditMiddleware) opened.
///
/// ```
/// use actix_web::{App, web};
/// use audit_actix::{Actor, Audit};
///
/// async fn accept_invitation(audit: Audit, token: web::Path<String>) -> &'static str {
///     // The token says who came; nobody is signed in yet.
///     audit.set_actor(Actor::user("user_42"));
///     audit.set_organization("org_7");
///     "welcome"
/// }
/// # let _ = App::new().route("/{token}", web::post().to(accept_invitation));
/// ```
///
/// It can also be taken inside an extractor of yours, by `Audit::extract(request)`.
///
/// # Errors
///
/// Where no middleware runs and the task has no scope either, the request is refused with
/// [`NoScope`]. `Option<Audit>` is `None` there.
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

impl FromRequest for Audit {
    type Error = NoScope;
    type Future = Ready<Result<Self, NoScope>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let scope = scope(&request.extensions());
        ready(scope.map(Self).ok_or(NoScope))
    }
}

/// The scope of a request: the one in its extensions, wherever the request has got to since, or
/// that of the task.
pub(crate) fn scope(extensions: &Extensions) -> Option<Scope> {
    extensions.get().cloned().or_else(Scope::current)
}

/// A handler asked for [`Audit`], and there is none, because no
/// [`AuditMiddleware`](crate::AuditMiddleware) runs around it.
///
/// The answer is 500 with a body that says so. An error log says it too, once in a process.
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
        LOGGED.call_once(|| tracing::error!("request refused with 500: {self}"));
        HttpResponse::InternalServerError()
            .content_type("text/plain; charset=utf-8")
            .body(self.to_string())
    }
}
