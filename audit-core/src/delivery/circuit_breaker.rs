//! The breaker to the sink: open, or closed for a while, and how many attempts may be in it at once.

use tokio::time::Instant;

/// How many attempts in a row have to fail before the sink counts as down, and not only those
/// events as unlucky.
const STREAK: u32 = 8;
/// And of how many events at least.
const STREAK_EVENTS: usize = 3;
/// With how many attempts at once a breaker begins.
const BEGIN: f64 = 4.0;

/// What is known about the breaker when an attempt has ended; [`decide`](super::decide::decide) reads
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BreakerHistory {
    /// Whether so many attempts of several events failed in a row that the sink itself must be
    /// down.
    pub(super) is_down: bool,
    /// How often in a row the breaker was closed without a success in between.
    pub(super) pauses: u32,
}

/// Additive increase while attempts succeed, one probe after a pause, then a quick way back to half
/// of what was before.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    most: f64,
    limit: f64,
    /// Below it the limit grows by one per success, above it by one per round.
    threshold: f64,
    /// Until when nothing is sent.
    paused: Option<Instant>,
    /// After a pause one event goes alone, until an attempt shows that the sink takes events again.
    probing: bool,
    pauses: u32,
    failed: u32,
    /// The last events that failed in the present streak.
    failed_events: [Option<u64>; STREAK_EVENTS],
}

impl CircuitBreaker {
    pub(super) fn new(most: usize) -> Self {
        let most = u32::try_from(most).map_or(f64::from(u32::MAX), f64::from);
        Self {
            most,
            limit: BEGIN.min(most),
            threshold: most,
            paused: None,
            probing: false,
            pauses: 0,
            failed: 0,
            failed_events: [None; STREAK_EVENTS],
        }
    }

    /// Whether one more attempt may start beside those in flight.
    pub(super) fn admits(&self, in_flight: usize) -> bool {
        let limit = if self.probing { 1 } else { self.limit as usize };
        self.paused.is_none() && in_flight < limit.max(1)
    }

    pub(super) fn is_probing(&self) -> bool {
        self.probing
    }

    pub(super) fn paused(&self) -> Option<Instant> {
        self.paused
    }

    /// Opens a breaker whose pause is over.
    pub(super) fn end_pause(&mut self, now: Instant) {
        if self.paused.is_some_and(|until| until <= now) {
            self.paused = None;
        }
    }

    /// The sink answered and took, or refused, an event: it is there.
    pub(super) fn succeeded(&mut self) {
        self.probing = false;
        self.pauses = 0;
        self.failed = 0;
        self.failed_events = [None; STREAK_EVENTS];
        self.limit += if self.limit < self.threshold {
            1.0
        } else {
            1.0 / self.limit
        };
        self.limit = self.limit.min(self.most);
    }

    /// An attempt failed in a way that says nothing about the event.
    pub(super) fn failed(&mut self, number: u64) {
        self.failed = self.failed.saturating_add(1);
        if !self.failed_events.contains(&Some(number)) {
            self.failed_events.rotate_right(1);
            self.failed_events[0] = Some(number);
        }
    }

    pub(super) fn history(&self) -> BreakerHistory {
        let several = self.failed_events.iter().all(Option::is_some);
        BreakerHistory {
            is_down: self.probing || (self.failed >= STREAK && several),
            pauses: self.pauses,
        }
    }

    /// Sends nothing until then, and one event first. Of several pauses at once the longest holds,
    /// and they count once.
    pub(super) fn pause(&mut self, until: Instant) {
        if self.paused.is_none() {
            self.pauses = self.pauses.saturating_add(1);
        }
        if !self.probing {
            self.threshold = (self.limit / 2.0).max(1.0);
        }
        self.limit = 1.0;
        self.paused = Some(self.paused.map_or(until, |paused| paused.max(until)));
        self.probing = true;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admitted(breaker: &CircuitBreaker) -> usize {
        (0..1_000).take_while(|&open| breaker.admits(open)).count()
    }

    #[test]
    fn successes_open_the_lane_up_to_its_most() {
        let mut breaker = CircuitBreaker::new(32);
        assert_eq!(admitted(&breaker), 4);
        for _ in 0..28 {
            breaker.succeeded();
        }
        assert_eq!(admitted(&breaker), 32);
        breaker.succeeded();
        assert_eq!(admitted(&breaker), 32);
        assert_eq!(admitted(&CircuitBreaker::new(1)), 1);
    }

    #[test]
    fn after_a_pause_one_goes_first_and_the_way_back_is_quick_to_half() {
        let mut breaker = CircuitBreaker::new(32);
        for _ in 0..28 {
            breaker.succeeded();
        }
        let now = Instant::now();
        let until = now + Duration::from_secs(5);
        breaker.pause(until);
        assert_eq!(admitted(&breaker), 0);
        breaker.end_pause(now);
        assert_eq!(admitted(&breaker), 0);
        breaker.end_pause(until);
        assert_eq!((admitted(&breaker), breaker.is_probing()), (1, true));
        for _ in 0..15 {
            breaker.succeeded();
        }
        assert_eq!(admitted(&breaker), 16);
        for _ in 0..15 {
            breaker.succeeded();
        }
        assert_eq!(admitted(&breaker), 16, "from half on, one more per round");
    }

    #[test]
    fn one_unlucky_event_is_no_outage_and_three_are() {
        let mut breaker = CircuitBreaker::new(32);
        for _ in 0..100 {
            breaker.failed(7);
        }
        assert!(!breaker.history().is_down);
        breaker.failed(8);
        breaker.failed(9);
        assert!(breaker.history().is_down);
        breaker.succeeded();
        assert_eq!(breaker.history(), BreakerHistory::default());
    }

    #[test]
    fn pauses_in_a_row_are_counted_and_the_longest_holds() {
        let mut breaker = CircuitBreaker::new(32);
        let now = Instant::now();
        let second = Duration::from_secs(1);
        breaker.pause(now + 5 * second);
        breaker.pause(now + 2 * second);
        assert_eq!(
            (breaker.paused(), breaker.history().pauses),
            (Some(now + 5 * second), 1)
        );
        breaker.end_pause(now + 5 * second);
        breaker.pause(now + 9 * second);
        assert_eq!(breaker.history().pauses, 2);
    }
}
