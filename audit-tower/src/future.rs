//! The future of an audited request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::{InScope, Scope};
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

pin_project! {
    /// The future of [`Audit`](crate::Audit).
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
        settle: Settle,
    }
}

impl<F> AuditFuture<F> {
    pub(crate) fn new(inner: InScope<F>, settle: Settle) -> Self {
        Self { inner, settle }
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
        this.settle.now(answer.as_ref().ok().map(Response::status));
        Poll::Ready(answer)
    }
}

/// Settles the scope once: with a status, or on drop without one.
#[derive(Debug)]
pub(crate) struct Settle(Option<Scope>);

impl Settle {
    pub(crate) fn new(scope: Scope) -> Self {
        Self(Some(scope))
    }

    fn now(&mut self, status: Option<StatusCode>) {
        if let Some(scope) = self.0.take() {
            scope.settle(status);
        }
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        self.now(None);
    }
}
