//! Recording by hand, which marks the scope of the running task as audited.

use super::scope::Scope;
use crate::event::Event;
use crate::recorder::{RecordError, Recorder};

impl Recorder {
    /// Queues one event for delivery and returns at once.
    ///
    /// `Ok` means accepted, not delivered; [`Recorder::flush`] waits. An event without an
    /// organization gets the fallback, one without an actor gets
    /// [`ActorKind::Unresolved`](crate::ActorKind::Unresolved) and a log line. The call takes no
    /// lock, does no I/O and wakes no thread while there is traffic.
    ///
    /// # Errors
    ///
    /// The queue is full, or the recorder was shut down. The event is inside the error, and the
    /// refusal is counted.
    ///
    /// # Cancellation
    ///
    /// Not async; safe in `Drop`.
    pub fn record(&self, event: Event) -> Result<(), RecordError> {
        Scope::mark_current();
        self.push(event)
    }

    /// Opens a scope: who acts and for whom, for code that runs without a web layer, such as a job.
    pub fn scope(&self) -> Scope {
        Scope::new(self.clone())
    }

    #[cfg(feature = "spool")]
    /// Writes one event to the disk, and returns when it is there: whatever happens to the process
    /// from then on, it will be delivered, at least once and under one idempotency key.
    ///
    /// Many that wait at once share one sync of the disk.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("audit.spool");
    /// use audit_core::{Actor, Event, MemorySink, Recorder, Spool};
    /// use std::time::Duration;
    ///
    /// let sink = MemorySink::new();
    /// let recorder = Recorder::builder(sink.clone()).spool(Spool::open(&path)?).build()?;
    /// let event = Event::builder("api_key.revoke").actor(Actor::user("u1")).build()?;
    /// recorder.record_durable(event).await?;
    /// recorder.shutdown(Duration::from_secs(5)).await;
    /// assert_eq!(sink.events().len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The recorder has no spool, the spool is at its bound, or the disk does not take the event
    /// ([`RecordError::is_not_durable`]); the event is inside the error, and not on the disk. The
    /// recorder was shut down.
    ///
    /// # Cancellation
    ///
    /// The event is accepted, and written all the same; while the disk does not take it, it is
    /// tried again. If the disk has refused it by then, and only the answer was not heard, it is
    /// counted in [`Stats::dropped`](crate::Stats::dropped).
    #[cfg(feature = "spool")]
    pub async fn record_durable(&self, event: Event) -> Result<(), RecordError> {
        Scope::mark_current();
        self.append_durable(event).await
    }
}
