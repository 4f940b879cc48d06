//! The future of an audited request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::InScope;
use audit_core::web::RequestAudit;
use http::Response;
use pin_project_lite::pin_project;

use crate::head::{Route, status};

pin_project! {
    /// The future of [`AuditService`](crate::AuditService).
    ///
    /// # Cancellation
    ///
    /// If it is dropped before it completes, operations that have ended are recorded with their
    /// outcome, and the others as `abandoned`.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: InScope<F>,
        // The response while the request's durable events are being written to disk.
        response: Option<F::Output>,
        // Declared after the inner future and so dropped after it, when its open drafts have
        // closed.
        audit: RequestAudit,
        route: Route,
    }
}

impl<F: Future> AuditFuture<F> {
    pub(crate) fn new(inner: InScope<F>, audit: RequestAudit, route: Route) -> Self {
        Self {
            inner,
            response: None,
            audit,
            route,
        }
    }
}

impl<F: Future> fmt::Debug for AuditFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditFuture")
            .field("audit", &self.audit)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl<F, R, E> Future for AuditFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.response.take() {
            Some(result) => result,
            None => {
                let result = ready!(this.inner.poll(cx));
                match &result {
                    Ok(response) => this.audit.settle(status(response), this.route.as_str()),
                    Err(_) => this.audit.settle_without_response(),
                }
                result
            }
        };
        if this.audit.poll_durable(cx).is_pending() {
            *this.response = Some(result);
            return Poll::Pending;
        }
        Poll::Ready(result)
    }
}
