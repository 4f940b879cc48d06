//! The service of an audited route, and its future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::http::StatusCode;
use audit_core::private::close;
use audit_core::{Draft, Outcome};
use pin_project_lite::pin_project;

use super::middleware::AuditRoute;
use crate::head::status;

/// The service of an [`AuditRoute`].
#[derive(Clone, Debug)]
pub struct AuditRouteService<S> {
    inner: S,
    route: AuditRoute,
}

impl<S> AuditRouteService<S> {
    pub(super) fn new(inner: S, route: AuditRoute) -> Self {
        Self { inner, route }
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
        // The draft is closed even if the service panics on being called.
        let draft = self.route.open(&request);
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
    /// Dropped early, it leaves the event as `abandoned`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditRouteFuture<F> {
        #[pin]
        inner: F,
        // Declared after the inner future and so dropped after it: what it does inside still
        // belongs to the operation.
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
        // On the stack it is dropped while a panic unwinds, and knows it. This future may be
        // dropped later, when whoever caught the panic lets go of it.
        let draft = this.draft.take();
        let Poll::Ready(answer) = this.inner.poll(cx) else {
            *this.draft = draft;
            return Poll::Pending;
        };
        if let Some(mut draft) = draft {
            let answered = match &answer {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            if answered == StatusCode::METHOD_NOT_ALLOWED {
                draft.skip("the route does not have the request's method");
            } else {
                close(draft, Outcome::of_status(status(answered)));
            }
        }
        Poll::Ready(answer)
    }
}
