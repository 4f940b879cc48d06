//! The layer that exempts a route from audit.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::scope::request_scope;

/// Exempts a route from audit: its mutating requests are not reported as unaudited.
///
/// [`AuditRoute::exempt`](crate::AuditRoute::exempt) returns one, with the reason. Events that the
/// handler records anyway are kept. Outside any [`AuditLayer`](crate::AuditLayer) it has no effect.
///
/// ```
/// use audit_tower::AuditRoute;
/// use axum::{Router, routing::post};
///
/// async fn search() {}
/// let app: Router = Router::new()
///     .route("/search", post(search).layer(AuditRoute::exempt("reads only; a query may be too long for a path")));
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

impl<S> Layer<S> for ExemptRoute {
    type Service = ExemptRouteService<S>;

    fn layer(&self, inner: S) -> ExemptRouteService<S> {
        ExemptRouteService {
            inner,
            reason: self.reason,
        }
    }
}

/// The service of an [`ExemptRoute`].
#[derive(Clone, Debug)]
pub struct ExemptRouteService<S> {
    inner: S,
    reason: &'static str,
}

impl<S, B> Service<Request<B>> for ExemptRouteService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        if let Some(scope) = request_scope(request.extensions()) {
            scope.exempt(self.reason);
        }
        self.inner.call(request)
    }
}
