//! Tracks the event of a function that is not async and returns a future.
//!
//! The draft opens at the call, begins at the first poll, and closes with the future's output.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::catalog::Action;
use crate::delivery::DurableWait;
use crate::scope::{Draft, Unpolled};

/// Opens the draft of a call that returns a future; it begins at the first poll.
#[must_use]
#[track_caller]
pub fn open_deferred(action: &'static str) -> Draft {
    Draft::defer(Action::checked(action), Location::caller())
}

/// Calls the body. The type parameter fixes the future's output type, for inference.
pub fn call_future_body<R, F: Future<Output = R>>(body: impl FnOnce() -> F) -> F {
    body()
}

/// Attaches the draft to the future; `close` closes it with a reference to the output.
pub fn track_future<R, F, C>(draft: Draft, future: F, close: C) -> TrackedFuture<F, C>
where
    F: Future<Output = R>,
    C: FnOnce(&R, Draft),
{
    TrackedFuture::new(draft, future, close)
}

/// [`track_future`] for a durable event: the future completes when the event is on disk, unless the
/// scope waits instead.
pub fn track_durable_future<R, F, C>(
    draft: Draft,
    future: F,
    close: C,
) -> TrackedDurableFuture<F, C>
where
    F: Future<Output = R>,
    C: FnOnce(&R, Draft) -> DurableWait,
{
    TrackedDurableFuture {
        tracked: TrackedFuture::new(draft, future, close),
        written: None,
    }
}

/// Boxes a future, for functions that return a `Box`.
pub fn boxed<F: Future>(future: F) -> Box<F> {
    Box::new(future)
}

/// Boxes and pins a future, for functions that return a `Pin<Box>`.
pub fn pinned<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

pin_project! {
    /// A future with its event.
    ///
    /// A named type, since an `async` block would hold the future twice: as an argument, and where
    /// it is polled. It is `Send`, `Sync` and `Unpin` if the future is.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TrackedFuture<F, C> {
        // Before the draft, so that what the future holds is dropped before the event closes.
        #[pin]
        future: F,
        state: State<C>,
    }
}

enum State<C> {
    Made { draft: Unpolled, close: C },
    Begun { draft: Draft, close: C },
    Ended,
}

impl<F, C> TrackedFuture<F, C> {
    fn new(draft: Draft, future: F, close: C) -> Self {
        let state = State::Made {
            draft: draft.unpolled(),
            close,
        };
        Self { future, state }
    }
}

impl<F: Future, C> TrackedFuture<F, C> {
    /// Polls the future, and returns its output with the result of closing the draft, if there was
    /// one.
    fn poll_closing<T>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<(F::Output, Option<T>)>
    where
        C: FnOnce(&F::Output, Draft) -> T,
    {
        let this = self.project();
        // Taken out, so that a panic in the future closes the draft now, even if the future is
        // kept.
        let (draft, close) = match std::mem::replace(this.state, State::Ended) {
            State::Made { draft, close } => (draft.begin(), close),
            State::Begun { draft, close } => (draft, close),
            State::Ended => return this.future.poll(context).map(|output| (output, None)),
        };
        match this.future.poll(context) {
            Poll::Ready(output) => {
                let closed = close(&output, draft);
                Poll::Ready((output, Some(closed)))
            }
            Poll::Pending => {
                *this.state = State::Begun { draft, close };
                Poll::Pending
            }
        }
    }
}

impl<F: Future, C: FnOnce(&F::Output, Draft)> Future for TrackedFuture<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_closing(context).map(|(output, _)| output)
    }
}

pin_project! {
    /// A future with its durable event.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TrackedDurableFuture<F, C>
    where
        F: Future,
    {
        #[pin]
        tracked: TrackedFuture<F, C>,
        // The output, while its event is on its way to the disk.
        written: Option<(F::Output, DurableWait)>,
    }
}

impl<F: Future, C: FnOnce(&F::Output, Draft) -> DurableWait> Future for TrackedDurableFuture<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (output, mut commits) = match this.written.take() {
            Some(written) => written,
            None => {
                let (output, commits) = ready!(this.tracked.poll_closing(context));
                (output, commits.unwrap_or_default())
            }
        };
        if Pin::new(&mut commits).poll(context).is_pending() {
            *this.written = Some((output, commits));
            return Poll::Pending;
        }
        Poll::Ready(output)
    }
}

impl<F: Future, C> fmt::Debug for TrackedDurableFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedDurableFuture")
            .finish_non_exhaustive()
    }
}

impl<F, C> fmt::Debug for TrackedFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{Actor, Outcome};
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    const DELETE: &str = "document.delete";

    fn close(output: &u8, draft: Draft) {
        assert_eq!(*output, 7);
        crate::private::close(draft, Outcome::Succeeded);
    }

    fn tracked<F: Future<Output = u8>>(future: F) -> impl Future<Output = u8> {
        track_future(open_deferred(DELETE), call_future_body(|| future), close)
    }

    async fn outcomes(job: impl Future) -> Vec<Outcome> {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone())
            .fallback_organization("org_1")
            .build()
            .unwrap();
        recorder.scope().actor(Actor::user("u")).run(job).await;
        recorder.shutdown(Duration::from_secs(5)).await;
        sink.events().iter().map(crate::Event::outcome).collect()
    }

    #[tokio::test]
    async fn the_event_closes_with_the_output() {
        // Created outside the scope, and polled inside it.
        let future = tracked(async {
            tokio::task::yield_now().await;
            7
        });
        assert_eq!(outcomes(future).await, [Outcome::Succeeded]);
    }

    #[tokio::test]
    async fn a_future_made_inside_a_scope_and_polled_outside_belongs_to_it() {
        let found = outcomes(async {
            let task = tokio::spawn(async { tracked(async { 7 }).await });
            task.await.unwrap();
            tokio::spawn(tracked(async { 7 })).await.unwrap();
        });
        assert_eq!(found.await, [Outcome::Succeeded]);
    }

    #[tokio::test]
    async fn what_was_never_polled_leaves_no_event_and_what_was_is_abandoned() {
        assert_eq!(
            outcomes(async { drop(tracked(async { 7 })) }).await,
            [] as [Outcome; 0]
        );
        let dropped = async {
            let future = tracked(std::future::pending());
            let _ = tokio::time::timeout(Duration::ZERO, future).await;
        };
        assert_eq!(outcomes(dropped).await, [Outcome::Abandoned]);
    }

    #[tokio::test]
    async fn a_panic_before_the_future_is_made_is_recorded() {
        let panics = async {
            let call = std::panic::AssertUnwindSafe(|| {
                let draft = open_deferred(DELETE);
                let future =
                    call_future_body(|| -> std::future::Ready<u8> { panic!("on purpose") });
                drop(track_future(draft, future, close));
            });
            assert!(std::panic::catch_unwind(call).is_err());
        };
        assert_eq!(outcomes(panics).await, [Outcome::Panicked]);
    }

    #[tokio::test]
    async fn a_panic_in_the_future_is_recorded_while_somebody_keeps_it() {
        let kept = async {
            let mut future = Box::pin(tracked(async { panic!("on purpose") }));
            let poll = std::panic::AssertUnwindSafe(|| {
                let mut context = Context::from_waker(std::task::Waker::noop());
                let _poll = future.as_mut().poll(&mut context);
            });
            assert!(std::panic::catch_unwind(poll).is_err());
            drop(future);
        };
        assert_eq!(outcomes(kept).await, [Outcome::Panicked]);
    }

    #[test]
    fn the_future_is_held_once() {
        let plain = async { std::future::ready([0_u8; 1024]).await };
        let bytes = size_of_val(&plain);
        let with = size_of_val(&track_future(
            open_deferred(DELETE),
            plain,
            |_: &[u8; 1024], _| {},
        ));
        assert!(with <= bytes + 160, "{bytes} bytes became {with}");
    }
}
