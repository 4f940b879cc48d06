//! The future of an audited request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::InScope;
use audit_core::web::Call;
use http::Response;
use pin_project_lite::pin_project;

use crate::head::{Route, status};

pin_project! {
    /// The future of [`AuditService`](crate::AuditService).
    ///
    /// # Cancellation
    ///
    /// Dropped early, it records what has ended, and what has not as `abandoned`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F> {
        #[pin]
        inner: InScope<F>,
        // Declared after the inner future and so dropped after it, when its open drafts have closed.
        call: Call,
        route: Route,
    }
}

impl<F> AuditFuture<F> {
    pub(crate) fn new(inner: InScope<F>, call: Call, route: Route) -> Self {
        Self { inner, call, route }
    }
}

impl<F, R, E> Future for AuditFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        if let Ok(response) = &answer {
            this.call.settle(status(response), this.route.as_str());
        }
        Poll::Ready(answer)
    }
}
