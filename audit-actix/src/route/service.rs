//! The service of an audited route, and its future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::http::StatusCode;
use audit_core::private::close;
use audit_core::{Draft, Outcome};
use pin_project_lite::pin_project;

use super::template::EventTemplate;
use crate::head::status;

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

impl<S, B> Service<ServiceRequest> for AuditRouteService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = AuditRouteFuture<S::Future>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        // Opened first, so that the draft is closed even if the inner service panics in `call`.
        let draft = self.template.open(&request);
        AuditRouteFuture {
            inner: self.inner.call(request),
            draft: Some(draft),
        }
    }
}

pin_project! {
    /// The future of [`AuditRouteService`].
    ///
    /// # Cancellation
    ///
    /// If it is dropped before it completes, the event is recorded as `abandoned`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditRouteFuture<F> {
        #[pin]
        inner: F,
        // Declared after the inner future and so dropped after it: the drop of the inner future
        // still belongs to the operation.
        draft: Option<Draft>,
    }
}

impl<F, B> Future for AuditRouteFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // On the stack, so that a panic of the inner future drops it while the thread unwinds, and
        // it closes as `panicked`. If the panic is caught, this future may be dropped later.
        let draft = this.draft.take();
        let Poll::Ready(result) = this.inner.poll(cx) else {
            *this.draft = draft;
            return Poll::Pending;
        };
        if let Some(mut draft) = draft {
            let status_code = match &result {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            if status_code == StatusCode::METHOD_NOT_ALLOWED {
                draft.skip("the route does not have the request's method");
            } else {
                close(draft, Outcome::of_status(status(status_code)));
            }
        }
        Poll::Ready(result)
    }
}
