//! The trait of sinks, and the result of one attempt.

use std::future::Future;
use std::pin::Pin;

use super::fault::Fault;
use super::rate_limit::RateLimit;
use crate::event::Event;

/// The result of one attempt to deliver an event.
pub type Delivery = Result<(), Fault>;

/// The destination to which the dispatcher delivers events.
///
/// The dispatcher calls the sink on its own thread and Tokio runtime, for several events at a time.
/// The [`Fault`] of a failed attempt decides what happens to the event. A panic of the sink is
/// caught, and the event becomes a dead letter.
///
/// ```
/// use audit_core::{Delivery, Event, Fault, Sink};
///
/// struct Stdout;
///
/// impl Sink for Stdout {
///     async fn deliver(&self, event: &Event) -> Delivery {
///         use std::io::Write;
///         writeln!(std::io::stdout(), "{}", event.action()).map_err(|error| Fault::retryable(error.to_string()))
///     }
/// }
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Delivers one event.
    ///
    /// After a retryable fault the same event is delivered again, so a sink should use
    /// [`Event::id`] as its idempotency key.
    ///
    /// # Errors
    ///
    /// The fault classifies the failure: the event may be retried, it is rejected for good, or the
    /// sink accepts no event at all.
    ///
    /// # Cancellation
    ///
    /// The future is dropped when the deadline of a shutdown has passed.
    fn deliver(&self, event: &Event) -> impl Future<Output = Delivery> + Send;

    /// Returns the highest rate of attempts at this sink; unlimited by default.
    ///
    /// The recorder calls this once, when it is built. Clones of a [`RateLimit`] share one count.
    fn rate_limit(&self) -> RateLimit {
        RateLimit::unlimited()
    }

    /// Returns those of `actions` that the sink does not know; none by default.
    ///
    /// [`RecorderBuilder::verify_catalog`](crate::RecorderBuilder::verify_catalog) uses it. A sink
    /// that accepts any action keeps the default.
    ///
    /// # Errors
    ///
    /// The fault is the reason why the sink cannot answer. The dispatcher retries after a while
    /// unless the fault is a rejection.
    fn unknown_actions(
        &self,
        actions: &[&'static str],
    ) -> impl Future<Output = Result<Vec<&'static str>, Fault>> + Send {
        let _ = actions;
        std::future::ready(Ok(Vec::new()))
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A [`Sink`] as a trait object, so that [`Recorder`](crate::Recorder) has no type parameter.
pub(crate) trait DynSink: Send + Sync {
    fn deliver<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Delivery>;
    fn rate_limit(&self) -> RateLimit;
    fn unknown_actions<'a>(
        &'a self,
        actions: &'a [&'static str],
    ) -> BoxFuture<'a, Result<Vec<&'static str>, Fault>>;
}

impl<S: Sink> DynSink for S {
    fn deliver<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Delivery> {
        Box::pin(Sink::deliver(self, event))
    }

    fn rate_limit(&self) -> RateLimit {
        Sink::rate_limit(self)
    }

    fn unknown_actions<'a>(
        &'a self,
        actions: &'a [&'static str],
    ) -> BoxFuture<'a, Result<Vec<&'static str>, Fault>> {
        Box::pin(Sink::unknown_actions(self, actions))
    }
}
