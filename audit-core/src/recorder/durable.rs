//! Recording on disk: durable events, and dead letters of the spool.

use std::sync::Arc;

use super::error::{RecordError, RecordErrorKind};
use super::recorder::{Entry, Recorder};
use crate::delivery::{Guarantee, PendingAppend, Pipeline};
use crate::event::Event;
use crate::spool::{Spool, SpoolError};

impl Recorder {
    /// Returns the spool, if there is one.
    #[must_use]
    pub fn spool(&self) -> Option<&Spool> {
        self.handle.pipeline.spool.as_ref()
    }

    /// Writes one event to disk, without marking a scope as audited.
    pub(crate) async fn append_durable(&self, mut event: Event) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        let pipeline = &self.handle.pipeline;
        let refuse = |event, why| {
            pipeline.counters.refused.add(1);
            pipeline.health_tracker.record_refusal();
            Err(RecordError::new(event, why, Arc::clone(pipeline)))
        };
        let Some(spool) = &pipeline.spool else {
            return refuse(event, RecordErrorKind::NoSpool);
        };
        let written = match spool.append(&event, Guarantee::Durable) {
            Ok(appended) => {
                DurableAppend::new(pipeline, &event, entry, appended)
                    .written()
                    .await
            }
            Err(error) => Err(error),
        };
        match written {
            Ok(_row) => Ok(()),
            Err(error) => refuse(event, RecordErrorKind::Spool(Box::new(error))),
        }
    }

    /// Sends dead letters of the spool again, by their rows ([`Spool::dead_letters`]).
    ///
    /// Returns the number of dead letters that were found. They keep their ids, and so their
    /// idempotency keys, and are counted as [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// The spool cannot be written; nothing has changed then. A recorder without a spool has no
    /// such dead letters, which is not an error.
    ///
    /// # Cancellation
    ///
    /// The dead letters are sent again even if the future is dropped.
    pub async fn redrive_spooled(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        let Some(spool) = &self.handle.pipeline.spool else {
            return Ok(0);
        };
        let pipeline = Arc::clone(&self.handle.pipeline);
        spool
            .redrive(rows, move |again| pipeline.count_redriven(again))
            .await
    }
}

/// A durable event whose write the spool has accepted.
///
/// It counts as accepted by the recorder unless the write then fails.
struct DurableAppend<'a> {
    pipeline: &'a Pipeline,
    event: &'a Event,
    /// Taken when the event counts as accepted.
    entry: Option<Entry>,
    appended: PendingAppend,
    /// The result of the write, once the caller has it.
    reported: Option<bool>,
}

impl<'a> DurableAppend<'a> {
    fn new(
        pipeline: &'a Pipeline,
        event: &'a Event,
        entry: Entry,
        appended: PendingAppend,
    ) -> Self {
        pipeline.counters.unacknowledged.add(1);
        pipeline.counters.appended_durable.add(1);
        Self {
            pipeline,
            event,
            entry: Some(entry),
            appended,
            reported: None,
        }
    }

    async fn written(mut self) -> Result<i64, SpoolError> {
        let written = (&mut self.appended).await;
        self.reported = Some(written.is_ok());
        written
    }

    /// Returns whether the spool has the event, after the caller dropped the future.
    ///
    /// A refusal that the caller did not receive is counted here.
    fn is_kept(&mut self) -> bool {
        let is_kept = !matches!(self.appended.abandon(), Some(Err(_)));
        if !is_kept {
            self.pipeline.counters.refused.add(1);
            self.pipeline.health_tracker.record_refusal();
            self.pipeline.count_dropped(self.event);
        }
        is_kept
    }
}

impl Drop for DurableAppend<'_> {
    fn drop(&mut self) {
        let is_kept = match self.reported {
            Some(is_written) => is_written,
            None => self.is_kept(),
        };
        if is_kept {
            if let Some(entry) = self.entry.take() {
                entry.accepted(self.pipeline);
            }
            self.pipeline.queue.nudge();
        } else {
            self.pipeline.counters.appended_durable.subtract(1);
        }
        self.pipeline.counters.unacknowledged.subtract(1);
    }
}
