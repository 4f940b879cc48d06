//! What a recorder with a spool can do beside.

use std::sync::Arc;

use super::Recorder;
use super::error::{RecordError, Why};
use super::shared::Shared;
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
    /// The event is accepted, and written all the same; while the disk does not take it, it is tried again.
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
        let written = match spool.append(&event, Guarantee::Durable) {
            Ok(appended) => {
                // Who stops waiting has given the event away.
                let given = Given::new(shared);
                let written = appended.await;
                given.answered(written.is_ok());
                written
            }
            Err(error) => Err(error),
        };
        match written {
            Ok(_row) => Ok(()),
            Err(error) => refuse(event, Why::Spool(Box::new(error))),
        }
    }

    /// Sends dead letters of the spool again, by their rows ([`Spool::dead_letters`]); how many of them were there.
    ///
    /// They keep their ids, and so their idempotency keys, and count as [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// The spool cannot be written; nothing has changed then. Without a spool there are no letters, which is no error.
    ///
    /// # Cancellation
    ///
    /// The letters are sent again all the same.
    pub async fn redrive_spooled(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        let Some(spool) = &self.shared.spool else {
            return Ok(0);
        };
        let shared = Arc::clone(&self.shared);
        let told = move |again| {
            shared.counters.redriven.add(again);
            shared.counters.spool_in[1].add(again);
            shared.queue.nudge();
        };
        spool.redrive(rows, told).await
    }
}

/// A durable event that the spool took: accepted, unless it says that it is not on the disk after all.
struct Given<'a> {
    shared: &'a Shared,
    is_refused: bool,
}

impl<'a> Given<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.counters.spool_in[0].add(1);
        Self {
            shared,
            is_refused: false,
        }
    }

    fn answered(mut self, is_written: bool) {
        self.is_refused = !is_written;
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        if self.is_refused {
            self.shared.counters.spool_in[0].take_back(1);
        } else {
            self.shared.counters.accepted.add(1);
            self.shared.queue.nudge();
        }
    }
}
