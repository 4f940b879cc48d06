//! The service: one scope around each call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::{Error, HttpMessage};
use audit_core::InScope;
use audit_core::web::RequestAudit;
use pin_project_lite::pin_project;

use crate::head::status;
use crate::middleware::AuditMiddleware;

/// The service of an [`AuditMiddleware`].
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    middleware: AuditMiddleware,
}

impl<S> AuditService<S> {
    pub(crate) fn new(inner: S, middleware: AuditMiddleware) -> Self {
        Self { inner, middleware }
    }
}

impl<S, B> Service<ServiceRequest> for AuditService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = AuditFuture<S::Future>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        // The call is settled even if the service panics on being called.
        let call = self.middleware.open(&mut request);
        let scope = call.scope().clone();
        let route = self.middleware.route(&request);
        request.extensions_mut().insert(scope.clone());
        let future = scope.enter(|| self.inner.call(request));
        AuditFuture {
            inner: scope.in_scope(future),
            answer: None,
            call,
            route,
        }
    }
}

pin_project! {
    /// The future of [`AuditService`].
    ///
    /// # Cancellation
    ///
    /// Dropped early, it records what has ended, and what has not as `abandoned`.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: InScope<F>,
        // An answer that waits until the request's durable events are on the disk.
        answer: Option<F::Output>,
        // Declared after the inner future and so dropped after it, when its open drafts have
        // closed.
        call: RequestAudit,
        route: Option<String>,
    }
}

impl<F: Future> fmt::Debug for AuditFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditFuture")
            .field("call", &self.call)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl<F, B> Future for AuditFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.answer.take() {
            Some(answer) => answer,
            None => {
                let answer = ready!(this.inner.poll(cx));
                match &answer {
                    // The request has been routed by now, and guards have chosen among routes of
                    // the same path.
                    Ok(response) => this.call.settle_with(status(response.status()), || {
                        response.request().match_pattern()
                    }),
                    // Whoever runs further out turns it into an answer of this status.
                    Err(error) => this.call.settle(
                        status(error.as_response_error().status_code()),
                        this.route.as_deref(),
                    ),
                }
                answer
            }
        };
        if this.call.poll_durable(cx).is_pending() {
            *this.answer = Some(answer);
            return Poll::Pending;
        }
        Poll::Ready(answer)
    }
}
