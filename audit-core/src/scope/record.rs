//! Recording by hand, which marks the scope of the running task as audited.

use super::scope::Scope;
use crate::event::Event;
use crate::recorder::{RecordError, Recorder};

impl Recorder {
    /// Queues one event for delivery and returns at once.
    ///
    /// `Ok` means accepted, not delivered; use [`Recorder::flush`] to wait. An event without an
    /// organization gets the fallback; one without an actor gets
    /// [`ActorKind::Unresolved`](crate::ActorKind::Unresolved) and a log line. The call takes no
    /// lock, does no I/O, and wakes no thread while there is traffic.
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

    /// Opens a scope, for code that runs without a web layer, such as a job.
    ///
    /// Set the actor and the organization on the scope, then run the job in it.
    pub fn scope(&self) -> Scope {
        Scope::new(self.clone())
    }

    /// Writes one event to disk and returns when it is there.
    ///
    /// From then on the event will be delivered, at least once and under one idempotency key, even
    /// if the process is killed. Concurrent calls share one sync of the disk (group commit).
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
    /// The recorder has no spool, the spool is at its bound, or the disk refused the write
    /// ([`RecordError::is_not_durable`]): the event is inside the error, and not on disk. Also if
    /// the recorder was shut down.
    ///
    /// # Cancellation
    ///
    /// The event stays accepted and is written; while the disk refuses the write, it is retried. If
    /// the disk had already refused it, and only the result was not received, the event is counted
    /// in [`Stats::dropped`](crate::Stats::dropped).
    #[cfg(feature = "spool")]
    pub async fn record_durable(&self, event: Event) -> Result<(), RecordError> {
        Scope::mark_current();
        self.append_durable(event).await
    }
}
