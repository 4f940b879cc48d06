//! The middleware that exempts a route from audit.

use std::future::{Ready, ready};

use actix_web::HttpMessage;
use actix_web::dev::{Service, ServiceRequest, Transform, forward_ready};

use crate::scope::request_scope;

/// Exempts a route from audit: its mutating requests are not reported as unaudited.
///
/// [`AuditRoute::exempt`](crate::AuditRoute::exempt) returns one, with the reason. Events that the
/// handler records anyway are kept. Outside any [`AuditMiddleware`](crate::AuditMiddleware) it has
/// no effect.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use audit_actix::AuditRoute;
///
/// async fn search() -> HttpResponse {
///     HttpResponse::Ok().finish()
/// }
/// let exempt = AuditRoute::exempt("reads only; a query may be too long for a path");
/// let app = App::new().route("/search", web::post().to(search).wrap(exempt));
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ExemptRoute {
    reason: &'static str,
}

impl ExemptRoute {
    pub(super) fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

impl<S: Service<ServiceRequest>> Transform<S, ServiceRequest> for ExemptRoute {
    type Response = S::Response;
    type Error = S::Error;
    type Transform = ExemptRouteService<S>;
    type InitError = ();
    type Future = Ready<Result<ExemptRouteService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let reason = self.reason;
        ready(Ok(ExemptRouteService { inner, reason }))
    }
}

/// The service of an [`ExemptRoute`].
#[derive(Clone, Debug)]
pub struct ExemptRouteService<S> {
    inner: S,
    reason: &'static str,
}

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for ExemptRouteService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> S::Future {
        if let Some(scope) = request_scope(&request.extensions()) {
            scope.exempt(self.reason);
        }
        self.inner.call(request)
    }
}
