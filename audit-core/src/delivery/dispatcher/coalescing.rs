//! Alike events in a flood: what the dispatcher does with those that are held, and those that
//! another stands for.

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::coalesce::Taken;
use crate::delivery::flush_barrier::FinalState;
use crate::delivery::pending_event::PendingEvent;

impl Dispatcher {
    /// Takes an event from the queue into the backlog, unless it is held until its window's end.
    pub(super) fn take_or_coalesce(&mut self, open: PendingEvent, now: Instant) {
        self.last_fetch = now;
        match self.coalescer.take(open, now) {
            Taken::Goes(open) => self.take(open, now),
            Taken::Held => {}
            Taken::Instead(older) => self.coalesced(older),
        }
    }

    /// What was held until now goes into the backlog, where its window has ended, or somebody waits
    /// for it.
    pub(super) fn release_held(&mut self, now: Instant) {
        let mut goes = self.coalescer.end_due(now);
        if !self.waiters.is_empty() {
            let waiters = &self.waiters;
            let awaited = self
                .coalescer
                .release(|origin| waiters.iter().any(|barrier| barrier.holds(origin)));
            goes.extend(awaited);
        }
        self.take_all(goes, now);
    }

    pub(super) fn release_all(&mut self) {
        let goes = self.coalescer.release(|_| true);
        self.take_all(goes, Instant::now());
    }

    fn take_all(&mut self, goes: Vec<PendingEvent>, now: Instant) {
        for mut open in goes {
            // From here on it waits for the sink.
            open.fetched_at = now;
            self.take(open, now);
        }
    }

    /// An event has come to its end, since a newer one stands for it.
    fn coalesced(&mut self, open: PendingEvent) {
        self.pipeline.counters.coalesced.add(1);
        if let Some(size) = open.size {
            self.pipeline.queue.release(size);
        }
        for barrier in self
            .waiters
            .flushes
            .iter_mut()
            .chain(&mut self.waiters.shutdowns)
        {
            barrier.record(open.origin, FinalState::Coalesced);
        }
    }
}
