//! What a recorder with a spool can do beside.

use std::sync::Arc;

use super::Recorder;
use super::error::{RecordError, Why};
use crate::disk::Guarantee;
use crate::{Event, Scope, Spool, SpoolError};

impl Recorder {
    /// The spool, if there is one.
    #[must_use]
    pub fn spool(&self) -> Option<&Spool> {
        self.shared.spool.as_ref()
    }

    /// Writes one event to the disk, and returns when it is there: whatever happens to the process from then on, it will be
    /// delivered, at least once and under one idempotency key.
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
    /// ([`RecordError::is_not_durable`]); the event is inside the error, and not on the disk. The recorder was shut down.
    ///
    /// # Cancellation
    ///
    /// The event is written all the same, unless the disk refuses it; then nobody hears of that. To wait for a while only,
    /// keep the future and let something else go on.
    pub async fn record_durable(&self, mut event: Event) -> Result<(), RecordError> {
        Scope::mark_current();
        let shared = &self.shared;
        if !event.has_actor() {
            self.unresolved(&mut event, None);
        }
        shared.complete(&mut event);
        for copy in &shared.copies {
            copy.record_or_log(event.clone());
        }
        let refuse = |event, why| {
            shared.counters.refused.add(1);
            shared.condition.refused();
            Err(RecordError::new(event, why, Arc::clone(shared)))
        };
        let Some(spool) = &shared.spool else {
            return refuse(event, Why::NoSpool);
        };
        // Before it is written, since it may be delivered before this task hears of it.
        shared.counters.spool_in[0].add(1);
        let appended = match spool.append(&event, Guarantee::Durable) {
            Ok(appended) => appended.await,
            Err(error) => Err(error),
        };
        match appended {
            Ok(_row) => {
                shared.counters.accepted.add(1);
                shared.queue.nudge();
                Ok(())
            }
            Err(error) => {
                shared.counters.spool_in[0].take_back(1);
                refuse(event, Why::Spool(Box::new(error)))
            }
        }
    }

    /// Sends dead letters of the spool again, by their rows ([`Spool::dead_letters`]); how many of them were there.
    ///
    /// They keep their ids, and so their idempotency keys, and count as [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// There is no spool, or it cannot be written; nothing has changed then.
    ///
    /// # Cancellation
    ///
    /// The letters are sent again all the same; they are counted when they come to their end.
    pub async fn redrive_spooled(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        let Some(spool) = &self.shared.spool else {
            return Ok(0);
        };
        let again = spool.redrive(rows).await?;
        self.shared.counters.redriven.add(again);
        self.shared.counters.spool_in[1].add(again);
        self.shared.queue.nudge();
        Ok(again)
    }
}
