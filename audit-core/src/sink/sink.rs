//! Where events go: the trait, the result of one attempt, and a sink in memory.

use std::future::Future;
use std::pin::Pin;

use super::fault::Fault;
use super::rate_limit::RateLimit;
use crate::event::Event;

/// One attempt to deliver an event.
pub type Delivery = Result<(), Fault>;

/// Where the dispatcher delivers events.
///
/// The dispatcher calls it on a thread and a Tokio runtime of its own, several events at a time,
/// and decides by the [`Fault`] what comes next. A panic inside is caught and makes a dead letter
/// of the event.
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
    /// The same event may come again after a retryable fault, so a sink should make [`Event::id`]
    /// its key.
    ///
    /// # Errors
    ///
    /// The fault says whether the event may be sent again, was rejected for good, or met a sink
    /// that takes nothing at all.
    ///
    /// # Cancellation
    ///
    /// The future is dropped when a shutdown's deadline has passed.
    fn deliver(&self, event: &Event) -> impl Future<Output = Delivery> + Send;

    /// How many attempts a second this sink may see; as many as it takes unless it says otherwise.
    ///
    /// Asked once, when the recorder is built. Clones of a [`RateLimit`] share one count.
    fn rate_limit(&self) -> RateLimit {
        RateLimit::unlimited()
    }

    /// Which of these actions the sink does not know, for
    /// [`RecorderBuilder::verify_catalog`](crate::RecorderBuilder::verify_catalog); a sink that
    /// takes any action knows all of them, and needs not say so.
    ///
    /// # Errors
    ///
    /// The fault says why it cannot tell. The dispatcher asks again after a while unless it is
    /// rejected.
    fn unknown_actions(
        &self,
        actions: &[&'static str],
    ) -> impl Future<Output = Result<Vec<&'static str>, Fault>> + Send {
        let _ = actions;
        std::future::ready(Ok(Vec::new()))
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Sink`] behind a pointer, so that a [`Recorder`](crate::Recorder) has no type parameter.
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
