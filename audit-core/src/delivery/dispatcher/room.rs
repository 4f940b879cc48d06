//! Room in the queue: events that have failed for long make room for new ones.

use std::time::Duration;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::flush_barrier::FinalState;
use crate::sink::Fault;

/// The share of its bounds, in percent, from which the queue makes room.
const NEARLY_FULL: usize = 75;
/// The share of the queue's places, in percent, that is freed at once.
const FREED: usize = 10;
/// The time for which an event has to have failed, while others passed, before it makes room.
const FAILED_FOR: Duration = Duration::from_secs(60);
/// The time between two searches for such events.
const INTERVAL: Duration = Duration::from_secs(1);

impl Dispatcher {
    /// Frees places of events that fail while others pass, once the queue is nearly full.
    ///
    /// They move to the spool. Without one they become dead letters.
    pub(super) fn make_room(&mut self, now: Instant) {
        let queue = &self.pipeline.queue;
        let is_full = |held: usize, bound: usize| held >= bound.saturating_mul(NEARLY_FULL) / 100;
        let is_nearly_full = is_full(queue.held(), queue.capacity())
            || is_full(queue.held_bytes(), queue.max_bytes());
        if !is_nearly_full || now < self.room_made_at + INTERVAL {
            return;
        }
        self.room_made_at = now;
        let mut failing: Vec<_> = self
            .pending
            .iter()
            .filter(|(_, open)| {
                let first = open.failures.first_at;
                open.size.is_some()
                    && !open.is_in_flight
                    && open.failures.is_own
                    && first.is_some_and(|first| first + FAILED_FOR <= now)
            })
            .map(|(number, open)| (std::cmp::Reverse(open.failures.charged), *number))
            .collect();
        failing.sort_unstable();
        let places = (self.pipeline.queue.capacity() * FREED / 100).max(1);
        for (_, number) in failing.into_iter().take(places) {
            self.move_out(number);
        }
    }

    /// Moves one event out of memory: to the spool, or else to the dead letters.
    fn move_out(&mut self, number: u64) {
        let Some(open) = self.pending.get(&number) else {
            return;
        };
        let first_attempt = open.first_attempt(Instant::now());
        if self.pipeline.spill_attempted(&open.event, first_attempt) {
            drop(self.close(number, FinalState::Spooled));
            return;
        }
        let attempts = open.failures.charged;
        let fault = match &open.last_fault {
            Some(last) => Fault::given_up(attempts, last),
            None => return,
        };
        self.make_dead_letter(number, fault);
    }
}
