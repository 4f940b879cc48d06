//! The service that runs each request inside a scope.

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::config::Config;
use crate::future::AuditFuture;
use crate::head::Route;

/// The service of an [`AuditLayer`](crate::AuditLayer).
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    config: Config,
}

impl<S> AuditService<S> {
    pub(crate) fn new(inner: S, config: Config) -> Self {
        Self { inner, config }
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
        // Opened first, so that the scope is settled even if the inner service panics in `call`.
        let audit = self.config.open(&mut parts);
        let scope = audit.scope().clone();
        let route = Route::of(&parts);
        parts.extensions.insert(scope.clone());
        let request = Request::from_parts(parts, body);
        let future = scope.enter(|| self.inner.call(request));
        AuditFuture::new(scope.in_scope(future), audit, route)
    }
}
