//! Circuit breaker and adaptive (AIMD) concurrency limit for the sink.

use std::time::Duration;

use tokio::time::Instant;

/// The initial concurrency limit.
const INITIAL_LIMIT: f64 = 4.0;

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
    /// The consecutive pauses without a success in between.
    pauses: u32,
    /// The time at which the last pause began, and the number of attempts that had started by then.
    paused_at: Option<Instant>,
    started_before: u64,
    /// Set if the sink asked for the pause.
    is_asked: bool,
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
            paused_at: None,
            started_before: 0,
            is_asked: false,
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

    /// Returns the end of the pause, until which nothing is sent.
    pub(super) fn paused(&self) -> Option<Instant> {
        self.paused
    }

    /// Returns the consecutive pauses without a success in between.
    pub(super) fn pauses(&self) -> u32 {
        self.pauses
    }

    /// Ends a pause that is over.
    pub(super) fn end_pause(&mut self, now: Instant) {
        if self.paused.is_some_and(|until| until <= now) {
            self.paused = None;
        }
    }

    /// Records that the sink accepted or rejected an event, in the attempt of this number.
    ///
    /// An attempt that started before the pause does not end it.
    pub(super) fn succeeded(&mut self, attempt: u64) {
        if self.probing && attempt <= self.started_before {
            return;
        }
        self.probing = false;
        self.paused = None;
        self.pauses = 0;
        self.limit += if self.limit < self.threshold {
            1.0
        } else {
            1.0 / self.limit
        };
        self.limit = self.limit.min(self.most);
    }

    /// Pauses all attempts until then, after which one event probes the sink.
    ///
    /// Of several pauses at once the longest applies, and they count as one.
    pub(super) fn pause(&mut self, pause: Pause) {
        let Pause {
            until,
            is_asked,
            now,
            started,
        } = pause;
        if self.paused.is_none() {
            self.pauses = self.pauses.saturating_add(1);
            self.paused_at = Some(now);
            self.is_asked = false;
        }
        if !self.probing {
            self.threshold = (self.limit / 2.0).max(1.0);
        }
        self.limit = 1.0;
        self.is_asked |= is_asked;
        self.started_before = self.started_before.max(started);
        self.paused = Some(self.paused.map_or(until, |paused| paused.max(until)));
        self.probing = true;
    }

    /// Permits a probe `shortest` after the beginning of the pause, unless the sink asked for the
    /// pause.
    pub(super) fn probe_earlier(&mut self, shortest: Duration) {
        if let (false, Some(until), Some(since)) = (self.is_asked, self.paused, self.paused_at) {
            self.paused = Some(until.min(since + shortest));
        }
    }
}

/// The arguments of [`CircuitBreaker::pause`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) until: Instant,
    /// Set if the sink asked for the pause.
    pub(super) is_asked: bool,
    pub(super) now: Instant,
    /// The attempts that were started so far.
    pub(super) started: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(breaker: &CircuitBreaker) -> usize {
        (0..1_000).take_while(|&open| breaker.admits(open)).count()
    }

    fn pause(until: Instant, now: Instant) -> Pause {
        Pause {
            until,
            is_asked: false,
            now,
            started: 10,
        }
    }

    #[test]
    fn successes_raise_the_limit_to_its_maximum() {
        let mut breaker = CircuitBreaker::new(32);
        assert_eq!(admitted(&breaker), 4);
        for _ in 0..28 {
            breaker.succeeded(1);
        }
        assert_eq!(admitted(&breaker), 32);
        breaker.succeeded(1);
        assert_eq!(admitted(&breaker), 32);
        assert_eq!(admitted(&CircuitBreaker::new(1)), 1);
    }

    #[test]
    fn after_a_pause_one_event_probes_and_the_limit_returns_quickly_to_half() {
        let mut breaker = CircuitBreaker::new(32);
        for _ in 0..28 {
            breaker.succeeded(1);
        }
        let now = Instant::now();
        let until = now + Duration::from_secs(5);
        breaker.pause(pause(until, now));
        assert_eq!(admitted(&breaker), 0);
        breaker.end_pause(now);
        assert_eq!(admitted(&breaker), 0);
        breaker.end_pause(until);
        assert_eq!((admitted(&breaker), breaker.is_probing()), (1, true));
        for _ in 0..15 {
            breaker.succeeded(11);
        }
        assert_eq!(admitted(&breaker), 16);
        for _ in 0..15 {
            breaker.succeeded(11);
        }
        assert_eq!(admitted(&breaker), 16, "from half on, one more per round");
    }

    #[test]
    fn consecutive_pauses_are_counted_and_the_longest_applies() {
        let mut breaker = CircuitBreaker::new(32);
        let now = Instant::now();
        let second = Duration::from_secs(1);
        breaker.pause(pause(now + 5 * second, now));
        breaker.pause(pause(now + 2 * second, now));
        assert_eq!(
            (breaker.paused(), breaker.pauses()),
            (Some(now + 5 * second), 1)
        );
        breaker.end_pause(now + 5 * second);
        breaker.pause(pause(now + 9 * second, now));
        assert_eq!(breaker.pauses(), 2);
    }

    #[test]
    fn fault_45_an_attempt_from_before_the_pause_does_not_end_it() {
        let mut breaker = CircuitBreaker::new(32);
        let now = Instant::now();
        let until = now + Duration::from_secs(300);
        breaker.pause(pause(until, now));
        breaker.succeeded(10);
        assert_eq!(
            (breaker.paused(), breaker.is_probing()),
            (Some(until), true)
        );
        breaker.end_pause(until);
        breaker.succeeded(9);
        assert_eq!(admitted(&breaker), 1, "one event still probes");
        breaker.succeeded(11);
        assert_eq!((admitted(&breaker), breaker.is_probing()), (2, false));
    }

    #[test]
    fn a_probe_comes_earlier_unless_the_sink_asked_for_the_pause() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        for is_asked in [false, true] {
            let mut breaker = CircuitBreaker::new(32);
            breaker.pause(Pause {
                is_asked,
                ..pause(now + 30 * second, now)
            });
            breaker.probe_earlier(second);
            let expected = if is_asked { 30 } else { 1 };
            assert_eq!(breaker.paused(), Some(now + expected * second));
        }
    }
}
