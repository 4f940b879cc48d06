//! Scouts: events from the unread part of the spool that probe a sink that seems to be down.
//!
//! The events in memory may all fail for a reason of their own, and so never show that the sink
//! accepts others, which wait behind them on the spool.

use std::collections::HashSet;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::attribution::FailureHistory;
use crate::delivery::decide::SHORTEST_PAUSE;
use crate::delivery::disk::SpooledEvent;
use crate::delivery::flush_barrier::FinalState;
use crate::delivery::loader::Loader;
use crate::delivery::pending_event::PendingEvent;

impl Dispatcher {
    /// Requests a sample of the spool, if a pause has begun and events are unread.
    pub(super) fn request_scout(&mut self) {
        let is_useful = self.unread() > 0 && self.scout.is_none();
        if let Some(loader) = &mut self.loader
            && is_useful
        {
            loader.request_sample();
        }
    }

    /// Selects a scout from a sample: the newest of those that resemble the failing events least.
    pub(super) fn on_sample(&mut self, sample: Vec<SpooledEvent>) {
        if !self.breaker.is_probing() {
            return;
        }
        let untried = FailureHistory::default();
        let loader = self.loader.as_ref();
        let in_memory = self.pending.values().map(|open| open.event.id());
        let known: HashSet<_> = in_memory
            .chain(loader.into_iter().flat_map(Loader::known))
            .collect();
        let ranked = sample
            .into_iter()
            .filter(|spooled| !known.contains(&spooled.event.id()));
        let ranked = ranked.map(|spooled| {
            let rank = self.attribution.probe_rank(&untried, &spooled.event);
            ((rank, std::cmp::Reverse(spooled.row)), spooled)
        });
        self.scout = ranked
            .min_by_key(|(key, _)| *key)
            .map(|(_, spooled)| spooled);
        if let Some(scout) = &self.scout
            && self.attribution.is_promising(&scout.event)
        {
            self.breaker.probe_earlier(SHORTEST_PAUSE);
        }
    }

    /// Returns the scout, if it is a better probe than `other`, or it is its turn.
    pub(super) fn take_scout(&mut self, other: Option<u64>, now: Instant) -> Option<u64> {
        let untried = FailureHistory::default();
        let scout = self.scout.as_ref()?;
        let rank = self.attribution.probe_rank(&untried, &scout.event);
        let other = other.and_then(|number| self.pending.get(&number));
        let other = other.and_then(|open| self.attribution.probe_rank(&open.failures, &open.event));
        let is_turn = self.breaker.pauses() % 2 == 1;
        if other.is_some_and(|other| rank > Some(other) || rank == Some(other) && !is_turn) {
            return None;
        }
        let scout = self.scout.take()?;
        Some(self.insert(PendingEvent::scout(scout, now)))
    }

    /// Notes that the sink accepted a scout. It is finished once its row is read in its turn.
    pub(super) fn on_scout_delivered(&mut self, number: u64, row: i64) {
        let Some(scout) = self.pending.remove(&number) else {
            return;
        };
        let id = scout.event.id();
        let read = self.pending.iter().find(|(_, open)| open.event.id() == id);
        match read.map(|(number, _)| *number) {
            Some(number) => self.finish_scouted(number),
            None => {
                if let Some(loader) = &mut self.loader {
                    loader.note_delivered(row, id);
                }
            }
        }
    }

    /// Finishes an event that was delivered as a scout.
    pub(super) fn finish_scouted(&mut self, number: u64) {
        self.ready.take(number);
        self.pipeline.counters.delivered.add(1);
        drop(self.close(number, FinalState::Delivered));
    }
}
