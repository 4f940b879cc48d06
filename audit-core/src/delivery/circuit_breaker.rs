//! Circuit breaker and adaptive (AIMD) concurrency limit for the sink.

use tokio::time::Instant;

/// The consecutive failures after which the sink counts as down, and not only some events as
/// failing.
const STREAK: u32 = 8;
/// The number of different events among those failures.
const STREAK_EVENTS: usize = 3;
/// The initial concurrency limit.
const INITIAL_LIMIT: f64 = 4.0;

/// The history that [`decide`](super::decide::decide) reads after an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BreakerHistory {
    /// Set when so many attempts of several events failed in a row that the sink itself must be
    /// down.
    pub(super) is_down: bool,
    /// The consecutive pauses without a success in between.
    pub(super) pauses: u32,
}

/// A circuit breaker with an adaptive concurrency limit.
///
/// The limit grows while attempts succeed. After a pause one event probes the sink; then the limit
/// quickly returns to half of its former value.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    most: f64,
    limit: f64,
    /// Below it the limit grows by one per success, above it by one per round.
    threshold: f64,
    /// The end of the pause, until which nothing is sent.
    paused: Option<Instant>,
    /// Set after a pause, while one event goes alone, until an attempt shows that the sink accepts
    /// events.
    probing: bool,
    pauses: u32,
    failed: u32,
    /// The last events that failed in the current streak.
    failed_events: [Option<u64>; STREAK_EVENTS],
}

impl CircuitBreaker {
    pub(super) fn new(most: usize) -> Self {
        let most = u32::try_from(most).map_or(f64::from(u32::MAX), f64::from);
        Self {
            most,
            limit: INITIAL_LIMIT.min(most),
            threshold: most,
            paused: None,
            probing: false,
            pauses: 0,
            failed: 0,
            failed_events: [None; STREAK_EVENTS],
        }
    }

    /// Returns whether one more attempt may start besides those in flight.
    pub(super) fn admits(&self, in_flight: usize) -> bool {
        let limit = if self.probing { 1 } else { self.limit as usize };
        self.paused.is_none() && in_flight < limit.max(1)
    }

    pub(super) fn is_probing(&self) -> bool {
        self.probing
    }

    /// Pauses all attempts until a time, after which one event probes the sink.
    ///
    /// Of several pauses at once the longest applies, and they count as one.
    pub(super) fn paused(&self) -> Option<Instant> {
        self.paused
    }

    /// Ends a pause that is over.
    pub(super) fn end_pause(&mut self, now: Instant) {
        if self.paused.is_some_and(|until| until <= now) {
            self.paused = None;
        }
    }

    /// Records a response that accepted or rejected an event: the sink is reachable.
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

    /// Records a failure that may have nothing to do with the event.
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
    fn successes_raise_the_limit_to_its_maximum() {
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
    fn after_a_pause_one_event_probes_and_the_limit_returns_quickly_to_half() {
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
    fn one_failing_event_is_no_outage_and_three_are() {
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
    fn consecutive_pauses_are_counted_and_the_longest_applies() {
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
