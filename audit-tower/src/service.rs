//! The service: one scope around each call.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::future::AuditFuture;
use crate::head::Route;
use crate::layer::AuditLayer;

/// The service of an [`AuditLayer`].
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    layer: AuditLayer,
}

impl<S> AuditService<S> {
    pub(crate) fn new(inner: S, layer: AuditLayer) -> Self {
        Self { inner, layer }
    }
}

impl<S, B, R> Service<Request<B>> for AuditService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = AuditFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // The call is settled even if the service panics on being called.
        let call = self.layer.open(&mut parts);
        let scope = call.scope().clone();
        let route = Route::of(&parts);
        parts.extensions.insert(scope.clone());
        let request = Request::from_parts(parts, body);
        let future = scope.enter(|| self.inner.call(request));
        AuditFuture::new(scope.in_scope(future), call, route)
    }
}
