//! Where events go: the trait, the result of one attempt, and a sink in memory.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Event, Pace};

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
    /// Asked once, when the recorder is built. Clones of a [`Pace`] share one count.
    fn pace(&self) -> Pace {
        Pace::unlimited()
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
    fn pace(&self) -> Pace;
    fn unknown_actions<'a>(
        &'a self,
        actions: &'a [&'static str],
    ) -> BoxFuture<'a, Result<Vec<&'static str>, Fault>>;
}

impl<S: Sink> DynSink for S {
    fn deliver<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Delivery> {
        Box::pin(Sink::deliver(self, event))
    }

    fn pace(&self) -> Pace {
        Sink::pace(self)
    }

    fn unknown_actions<'a>(
        &'a self,
        actions: &'a [&'static str],
    ) -> BoxFuture<'a, Result<Vec<&'static str>, Fault>> {
        Box::pin(Sink::unknown_actions(self, actions))
    }
}

/// Why an attempt failed, and what that means for the event.
///
/// Its text is the service's or the sink's own reason; it holds no key and no content of the event.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    reason: String,
    retry_after: Option<Duration>,
    /// Whether the sink surely did not see the event.
    unsent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same event may be sent again.
    Retryable,
    /// The connection broke before an answer came; the same event may be sent again, the first time
    /// at once.
    Interrupted,
    /// The same event may be sent again, and until then no other either.
    Limited,
    /// The event was refused for good.
    Rejected,
    /// Nothing is taken at all until somebody mends the set-up.
    Fatal,
    /// The sink panicked.
    Panicked,
    /// The recorder ended first.
    Lost,
}

impl Fault {
    /// The same event may be sent again: a broken connection, an overloaded server.
    pub fn retryable(reason: impl Into<String>) -> Self {
        Self::new(Kind::Retryable, reason)
    }

    /// The connection broke before an answer came, so the sink may have taken the event or not. The
    /// same event is sent again, the first time at once: a connection that was idle for long breaks
    /// like this on the next use.
    pub fn interrupted(reason: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, reason)
    }

    /// The sink asks for a pause from everything: too many requests.
    pub fn limited(reason: impl Into<String>) -> Self {
        Self::new(Kind::Limited, reason)
    }

    /// This event will never be taken. It becomes a dead letter with this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, reason)
    }

    /// No event will be taken until somebody mends the set-up: a wrong key, a wrong address. Events
    /// are kept meanwhile.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self::new(Kind::Fatal, reason)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(Kind::Panicked, "the sink panicked on this event")
    }

    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self::new(Kind::Lost, reason)
    }

    fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            retry_after: None,
            unsent: false,
        }
    }

    /// With the wait that the sink asked for.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// With the assurance that the sink did not see the event: no connection was made. Without it,
    /// a retryable or interrupted attempt may have been a delivery; when such a doubt is older than
    /// the service remembers idempotency keys, 24 hours, the event is repeated with
    /// `maybe_duplicate` in its metadata.
    #[must_use]
    pub fn unsent(mut self) -> Self {
        self.unsent = true;
        self
    }

    /// Whether the same event may be sent again without a change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            Kind::Retryable | Kind::Interrupted | Kind::Limited
        )
    }

    /// Whether the sink may have taken the event all the same.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.kind, Kind::Retryable | Kind::Interrupted) && !self.unsent
    }

    /// Whether the event was lost because the recorder ended before the sink took it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.kind == Kind::Lost
    }

    /// Whether this event was refused for good.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind, Kind::Rejected | Kind::Panicked)
    }

    /// Whether nothing is taken until somebody mends the set-up.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.kind == Kind::Fatal
    }

    /// How long the sink asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Fault {}

/// A sink that keeps events in memory, for tests and for a look at what a service records.
///
/// It keeps what fits its limit (10,000 events unless another is set) and rejects the rest. Clones
/// share the events.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, Event, MemorySink, Recorder};
/// use std::time::Duration;
///
/// let sink = MemorySink::new();
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// recorder.record(Event::builder("api_key.revoke").actor(Actor::user("u1")).build()?)?;
/// recorder.flush(Duration::from_secs(5)).await;
/// assert_eq!(sink.events()[0].action(), "api_key.revoke");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MemorySink {
    events: Arc<Mutex<Vec<Event>>>,
    limit: usize,
}

/// How many events a [`MemorySink`] keeps unless told otherwise.
const MEMORY_SINK_LIMIT: usize = 10_000;

impl MemorySink {
    /// A sink that keeps up to 10,000 events.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MEMORY_SINK_LIMIT)
    }

    /// A sink that keeps up to `limit` events.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            events: Arc::default(),
            limit,
        }
    }

    /// The events delivered so far, in the order of delivery.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// Takes the events out and leaves room for others.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for MemorySink {
    async fn deliver(&self, event: &Event) -> Delivery {
        let mut events = self.lock();
        if events.len() >= self.limit {
            return Err(Fault::rejected(format!(
                "the memory sink holds its limit of {} events",
                self.limit
            )));
        }
        events.push(event.clone());
        Ok(())
    }
}
