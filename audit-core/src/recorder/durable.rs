//! Recording on disk: durable events, and dead letters of the spool.

use std::sync::Arc;

use super::error::{RecordError, RecordErrorKind};
use super::recorder::{Entry, Recorder};
use crate::delivery::{Epoch, Guarantee, PendingAppend, Pipeline};
use crate::event::Event;
use crate::spool::{Spool, SpoolError};

impl Recorder {
    /// Returns the spool, if there is one.
    #[must_use]
    pub fn spool(&self) -> Option<&Spool> {
        self.handle.pipeline.spool.as_ref()
    }

    /// Writes one event to disk, without marking a scope as audited.
    pub(crate) async fn append_durable(&self, event: Event) -> Result<(), RecordError> {
        self.begin_durable(event)?.written().await
    }

    /// Gives one event to the spool. The result has the wait for its write.
    pub(crate) fn begin_durable(&self, mut event: Event) -> Result<DurableAppend, RecordError> {
        let entry = self.prepare(&mut event);
        let pipeline = &self.handle.pipeline;
        let Some(spool) = &pipeline.spool else {
            return Err(refuse(event, RecordErrorKind::NoSpool, pipeline));
        };
        match spool.append(&event, Guarantee::Durable) {
            Ok(appended) => Ok(DurableAppend::new(pipeline, event, entry, appended)),
            Err(error) => {
                let why = RecordErrorKind::Spool(Box::new(error));
                Err(refuse(event, why, pipeline))
            }
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

/// Counts the refusal, and returns the error with the event.
fn refuse(event: Event, why: RecordErrorKind, pipeline: &Arc<Pipeline>) -> RecordError {
    pipeline.counters.refused.add(1);
    pipeline.health_tracker.record_refusal();
    RecordError::new(event, why, Arc::clone(pipeline))
}

/// A durable event whose write the spool has accepted.
///
/// It counts as accepted by the recorder unless the write then fails.
#[must_use = "an event is on disk once `written` resolves"]
pub(crate) struct DurableAppend {
    pipeline: Arc<Pipeline>,
    /// Taken when the event is returned to the caller.
    event: Option<Event>,
    /// Taken when the event counts as accepted.
    entry: Option<Entry>,
    appended: PendingAppend,
    /// The epoch in which it was counted.
    epoch: Epoch,
    /// The result of the write, once the caller has it.
    reported: Option<bool>,
}

impl DurableAppend {
    fn new(pipeline: &Arc<Pipeline>, event: Event, entry: Entry, appended: PendingAppend) -> Self {
        pipeline.counters.unacknowledged.add(1);
        Self {
            epoch: pipeline.durable_appends.add(&pipeline.counters),
            pipeline: Arc::clone(pipeline),
            event: Some(event),
            entry: Some(entry),
            appended,
            reported: None,
        }
    }

    /// Waits for the write.
    pub(crate) async fn written(mut self) -> Result<(), RecordError> {
        let written = (&mut self.appended).await;
        self.reported = Some(written.is_ok());
        match (written, self.event.take()) {
            (Err(error), Some(event)) => {
                let why = RecordErrorKind::Spool(Box::new(error));
                Err(refuse(event, why, &self.pipeline))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the spool has the event, after the caller dropped the future.
    ///
    /// A refusal that the caller did not receive is counted here.
    fn is_kept(&mut self) -> bool {
        let is_kept = !matches!(self.appended.abandon(), Some(Err(_)));
        if !is_kept {
            self.pipeline.counters.refused.add(1);
            self.pipeline.health_tracker.record_refusal();
            if let Some(event) = &self.event {
                self.pipeline.count_dropped(event);
            }
        }
        is_kept
    }
}

impl Drop for DurableAppend {
    fn drop(&mut self) {
        let is_kept = match self.reported {
            Some(is_written) => is_written,
            None => self.is_kept(),
        };
        let pipeline = &*self.pipeline;
        if is_kept {
            if let Some(entry) = self.entry.take() {
                entry.accepted(pipeline);
            }
        } else {
            pipeline
                .durable_appends
                .refuse(&pipeline.counters, self.epoch);
        }
        pipeline.counters.unacknowledged.subtract(1);
        // There is an event on the disk to read, or a flush barrier has one fewer to wait for.
        pipeline.queue.nudge();
    }
}
