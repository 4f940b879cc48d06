//! Alike events in a flood: what the dispatcher does with those that are held, and those that
//! another stands for.

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::attempt::Open;
use crate::delivery::coalesce::Taken;
use crate::delivery::fence::End;

impl Dispatcher {
    /// Takes an event from the queue into the backlog, unless it is held until its window's end.
    pub(super) fn take_or_hold(&mut self, open: Open, now: Instant) {
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
        if !(self.fences.is_empty() && self.shutdowns.is_empty()) {
            let fences = || self.fences.iter().chain(&self.shutdowns);
            let awaited = self
                .coalescer
                .release(|place| fences().any(|fence| fence.holds(place)));
            goes.extend(awaited);
        }
        self.take_all(goes, now);
    }

    pub(super) fn release_all(&mut self) {
        let goes = self.coalescer.release(|_| true);
        self.take_all(goes, Instant::now());
    }

    fn take_all(&mut self, goes: Vec<Open>, now: Instant) {
        for mut open in goes {
            // From here on it waits for the sink.
            open.fetched_at = now;
            self.take(open, now);
        }
    }

    /// An event has come to its end, since a newer one stands for it.
    fn coalesced(&mut self, open: Open) {
        self.shared.counters.coalesced.add(1);
        if let Some(size) = open.size {
            self.shared.queue.release(size);
        }
        for fence in self.fences.iter_mut().chain(&mut self.shutdowns) {
            fence.ended(open.place, End::Coalesced);
        }
    }
}
