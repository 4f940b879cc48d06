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
        route: Route,
    }
}

impl<F: Future> AuditFuture<F> {
    pub(crate) fn new(inner: InScope<F>, call: RequestAudit, route: Route) -> Self {
        Self {
            inner,
            answer: None,
            call,
            route,
        }
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

impl<F, R, E> Future for AuditFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.answer.take() {
            Some(answer) => answer,
            None => {
                let answer = ready!(this.inner.poll(cx));
                match &answer {
                    Ok(response) => this.call.settle(status(response), this.route.as_str()),
                    Err(_) => this.call.settle_without_response(),
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
