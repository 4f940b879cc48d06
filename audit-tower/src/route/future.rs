//! The future of a request to an audited route.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use audit_core::private::close;
use audit_core::{Draft, Outcome};
use http::{Response, StatusCode};
use pin_project_lite::pin_project;

use crate::head::status;

pin_project! {
    /// The future of [`AuditRouteService`](crate::AuditRouteService).
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

impl<F> AuditRouteFuture<F> {
    pub(super) fn new(inner: F, draft: Draft) -> Self {
        let draft = Some(draft);
        Self { inner, draft }
    }
}

/// Closes the draft while a panic of the inner future unwinds.
///
/// If a layer catches the panic, this future is dropped when the thread no longer unwinds, and the
/// draft would record a request that was abandoned.
struct CloseOnDrop<'a>(&'a mut Option<Draft>);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

impl<F, R, E> Future for AuditRouteFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let unwinding = CloseOnDrop(this.draft);
        let polled = this.inner.poll(cx);
        std::mem::forget(unwinding);
        let result = ready!(polled);
        if let Some(mut draft) = this.draft.take() {
            match &result {
                Ok(response) if response.status() == StatusCode::METHOD_NOT_ALLOWED => {
                    draft.skip("the route does not have the request's method");
                }
                Ok(response) => close(draft, Outcome::of_status(status(response))),
                Err(_) => close(draft, Outcome::Failed),
            }
        }
        Poll::Ready(result)
    }
}
