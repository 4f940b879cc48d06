//! Events of the spool in the dispatcher: those that are read, due again, or missing.

use std::collections::HashSet;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::disk::SpooledEvent;
use crate::delivery::flush_barrier::{FinalState, Origin};
use crate::delivery::loader::Loaded;
use crate::delivery::parking::ParkedEvent;
use crate::delivery::pending_event::PendingEvent;

impl Dispatcher {
    /// Returns whether the spool has nothing to read now.
    pub(super) fn is_spool_at_end(&self) -> bool {
        let appended = self.pipeline.counters.appended();
        self.unread() == 0
            && self
                .loader
                .as_ref()
                .is_none_or(|loader| loader.is_at_end(Instant::now(), appended))
    }

    /// Takes the events that were read from the spool.
    pub(super) fn on_page_loaded(&mut self, loaded: Loaded) {
        let now = Instant::now();
        match loaded {
            Loaded::Events(events) => {
                for (spooled, origin) in events {
                    self.count_recovered(origin);
                    let (row, id) = (spooled.row, spooled.event.id());
                    let number = self.take(PendingEvent::spooled(spooled, origin, now), now);
                    let loader = self.loader.as_mut();
                    if loader.is_some_and(|loader| loader.take_delivered(row, id)) {
                        self.finish_scouted(number);
                    }
                }
            }
            Loaded::Due(events) => {
                for (parked, spooled) in events {
                    self.take_due(parked, spooled, now);
                }
            }
            Loaded::Sample(sample) => self.on_sample(sample),
            Loaded::Exhausted { appended } => self.on_exhausted(appended),
        }
    }

    /// Counts an event of an earlier process that the totals of the file did not include.
    fn count_recovered(&mut self, origin: Origin) {
        if matches!(origin, Origin::Recovered(_)) {
            self.progress.recovered += 1;
            let counted = &self.pipeline.counters.recovered;
            counted.add(self.progress.recovered.saturating_sub(counted.get()));
        }
    }

    /// Takes a parked event that is due; it is lost if its row is gone.
    fn take_due(&mut self, parked: ParkedEvent, spooled: Option<SpooledEvent>, now: Instant) {
        let origin = parked.origin;
        if let Some(spooled) = spooled {
            let mut open = PendingEvent::spooled(spooled, origin, now);
            parked.restore(&mut open);
            let number = self.insert(open);
            return self.ready.delay(now, number);
        }
        if let Some(loader) = &mut self.loader {
            loader.release(origin, true);
        }
        self.progress.finished += 1;
        self.progress.finished_spooled += u64::from(matches!(origin, Origin::Spool(..)));
        self.pipeline.counters.spool_finished.add(1);
        self.pipeline.counters.lost.add(1);
        self.waiters.record(origin, FinalState::Lost);
        tracing::error!(
            id = %parked.id,
            "an audit event that waited on the spool for its next attempt is gone from the file, and is lost"
        );
    }

    /// Handles events that were appended to the spool and cannot be read back: the file is corrupt.
    pub(super) fn on_exhausted(&mut self, appended: u64) {
        let missing = self.unread();
        // Another event may have been appended since, or was refused and is not yet uncounted.
        let unacknowledged = self.pipeline.counters.unacknowledged.get();
        if missing == 0 || unacknowledged > 0 || self.pipeline.counters.appended() != appended {
            return;
        }
        let on_disk = |open: &PendingEvent| open.row.map(|_| open.event.id());
        let mut known: HashSet<_> = self.pending.values().filter_map(on_disk).collect();
        if let Some(loader) = &mut self.loader {
            known.extend(loader.parked().map(|parked| parked.id));
        }
        if let Some(loader) = &mut self.loader
            && loader.check_for_missing(Instant::now(), known)
        {
            return;
        }
        self.pipeline.counters.lost.add(missing);
        self.pipeline.counters.spool_finished.add(missing);
        // No flush waits for events of an earlier process.
        let open = self
            .loader
            .as_ref()
            .map_or(0, |loader| loader.in_memory().appended);
        let own = missing.min(appended.saturating_sub(self.progress.finished_spooled + open));
        self.progress.finished_spooled += own;
        self.waiters.record_missing(own);
        tracing::error!(
            lost = missing,
            "audit events could not be read from the spool, whose file was corrupt, and are lost"
        );
    }
}
