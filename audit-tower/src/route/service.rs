//! The service of an audited route.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::AuditRouteFuture;
use super::template::EventTemplate;

/// The service of an [`AuditRoute`](crate::AuditRoute).
#[derive(Clone, Debug)]
pub struct AuditRouteService<S> {
    inner: S,
    template: Arc<EventTemplate>,
}

impl<S> AuditRouteService<S> {
    pub(super) fn new(inner: S, template: Arc<EventTemplate>) -> Self {
        Self { inner, template }
    }
}

impl<S, B, R> Service<Request<B>> for AuditRouteService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = AuditRouteFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // Opened first, so that the draft is closed even if the inner service panics in `call`.
        let draft = self.template.open(&mut parts);
        let future = self.inner.call(Request::from_parts(parts, body));
        AuditRouteFuture::new(future, draft)
    }
}
