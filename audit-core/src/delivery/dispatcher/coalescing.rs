//! Coalescing in the dispatcher: events that are held, and events that are replaced.

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::coalesce::Coalesced;
use crate::delivery::flush_barrier::FinalState;
use crate::delivery::pending_event::PendingEvent;

impl Dispatcher {
    /// Takes an event from the queue to the ready queue, unless it is held until its window closes.
    pub(super) fn take_or_coalesce(&mut self, open: PendingEvent, now: Instant) {
        self.last_fetch = now;
        match self.coalescer.take(open, now) {
            Coalesced::Deliver(open) => {
                self.take(open, now);
            }
            Coalesced::Held => {}
            Coalesced::Replaced(older) => self.finish_coalesced(older),
        }
    }

    /// Moves held events to the ready queue, if their window is over or a flush waits for them.
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
            // Its age counts from here, since now it waits for the sink.
            open.fetched_at = now;
            self.take(open, now);
        }
    }

    /// Finishes an event that another one represents.
    fn finish_coalesced(&mut self, open: PendingEvent) {
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
