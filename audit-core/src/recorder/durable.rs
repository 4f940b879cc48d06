//! What a recorder with a spool can do beside.

use std::sync::Arc;

use super::error::{RecordError, RecordErrorKind};
use super::recorder::{Entry, Recorder};
use crate::delivery::{Appended, Guarantee, Shared};
use crate::event::Event;
use crate::spool::{Spool, SpoolError};

impl Recorder {
    /// The spool, if there is one.
    #[must_use]
    pub fn spool(&self) -> Option<&Spool> {
        self.handle.shared.spool.as_ref()
    }

    /// [`Recorder::record_durable`], without the scope.
    pub(crate) async fn append_durable(&self, mut event: Event) -> Result<(), RecordError> {
        let entry = self.prepare(&mut event);
        let shared = &self.handle.shared;
        let refuse = |event, why| {
            shared.counters.refused.add(1);
            shared.condition.refused();
            Err(RecordError::new(event, why, Arc::clone(shared)))
        };
        let Some(spool) = &shared.spool else {
            return refuse(event, RecordErrorKind::NoSpool);
        };
        let written = match spool.append(&event, Guarantee::Durable) {
            Ok(appended) => Given::new(shared, &event, entry, appended).written().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(_row) => Ok(()),
            Err(error) => refuse(event, RecordErrorKind::Spool(Box::new(error))),
        }
    }

    /// Sends dead letters of the spool again, by their rows ([`Spool::dead_letters`]); how many of
    /// them were there.
    ///
    /// They keep their ids, and so their idempotency keys, and count as
    /// [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// The spool cannot be written; nothing has changed then. Without a spool there are no letters,
    /// which is no error.
    ///
    /// # Cancellation
    ///
    /// The letters are sent again all the same.
    pub async fn redrive_spooled(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        let Some(spool) = &self.handle.shared.spool else {
            return Ok(0);
        };
        let shared = Arc::clone(&self.handle.shared);
        spool
            .redrive(rows, move |again| shared.redriven(again))
            .await
    }
}

/// A durable event that the spool took: accepted, unless it says that it is not on the disk after
/// all.
struct Given<'a> {
    shared: &'a Shared,
    event: &'a Event,
    /// Until it is accepted.
    entry: Option<Entry>,
    appended: Appended,
    /// Whether it is on the disk, once whoever waits has been told.
    told: Option<bool>,
}

impl<'a> Given<'a> {
    fn new(shared: &'a Shared, event: &'a Event, entry: Entry, appended: Appended) -> Self {
        shared.counters.unsettled.add(1);
        shared.counters.spool_in[0].add(1);
        Self {
            shared,
            event,
            entry: Some(entry),
            appended,
            told: None,
        }
    }

    async fn written(mut self) -> Result<i64, SpoolError> {
        let written = (&mut self.appended).await;
        self.told = Some(written.is_ok());
        written
    }

    /// Whether the spool has it, now that nobody waits any more. A refusal that nobody heard is
    /// counted here.
    fn is_kept(&mut self) -> bool {
        let is_kept = !matches!(self.appended.abandon(), Some(Err(_)));
        if !is_kept {
            self.shared.counters.refused.add(1);
            self.shared.condition.refused();
            self.shared.dropped(self.event);
        }
        is_kept
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        let is_kept = match self.told {
            Some(is_written) => is_written,
            None => self.is_kept(),
        };
        if is_kept {
            if let Some(entry) = self.entry.take() {
                entry.accepted(self.shared);
            }
            self.shared.queue.nudge();
        } else {
            self.shared.counters.spool_in[0].take_back(1);
        }
        self.shared.counters.unsettled.take_back(1);
    }
}
