//! The decision after an attempt, as one pure function.

use std::time::Duration;

use tokio::time::Instant;

use super::circuit_breaker::BreakerHistory;
use crate::sink::{Fault, FaultKind};

/// The upper bound of the first backoff.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest backoff of one event that fails while others succeed.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// The longest pause between probes of a sink that is down, so that its recovery is noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The shortest pause between probes.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is respected; after that one attempt probes the sink.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// The pause after a fault of the configuration, before one attempt probes whether it was fixed.
const FATAL_PAUSE: Duration = Duration::from_secs(5);

/// The history of an event and of the sink when an attempt has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Failed attempts that are charged to the event.
    pub(super) failed: u32,
    /// Set once the event's one immediate retry was used.
    pub(super) immediate_retry_used: bool,
    pub(super) breaker: BreakerHistory,
}

/// The consequence of an attempt, for its event and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Delivered,
    /// The event is kept with the reason, and never sent again automatically.
    DeadLetter,
    /// The event is retried immediately. Nothing is charged.
    RetryNow,
    /// The event is delayed, and the failure is charged to it.
    Retry(Instant),
    /// All events are delayed, then one probes the sink. Nothing is charged: the fault is not the
    /// event's.
    Pause(Instant),
}

/// Decides by the attempt's fault, the history, and the time. `jitter` is a random number in `[0,
/// 1)`.
pub(super) fn decide(
    delivery: Result<(), &Fault>,
    history: &History,
    now: Instant,
    jitter: f64,
) -> Decision {
    let Err(fault) = delivery else {
        return Decision::Delivered;
    };
    let asked = fault.retry_after().map(|wait| {
        // Up to 10 % jitter, so that clients with the same `Retry-After` do not retry at once.
        let wait = wait.min(LONGEST_RETRY_AFTER);
        wait + wait.mul_f64(jitter * 0.1)
    });
    // A service that asks for no wait at all gets the backoff, or every retry would be immediate.
    let respected = asked.filter(|wait| *wait >= SHORTEST_PAUSE);
    let pause = || {
        let wait = backoff(
            history.breaker.pauses.saturating_add(1),
            LONGEST_PAUSE,
            jitter,
        );
        wait.max(SHORTEST_PAUSE.mul_f64(1.0 + jitter))
    };
    match fault.kind() {
        FaultKind::Rejected | FaultKind::Panicked | FaultKind::Lost => Decision::DeadLetter,
        FaultKind::ConnectionLost if !history.immediate_retry_used && !history.breaker.is_down => {
            Decision::RetryNow
        }
        FaultKind::RateLimited => Decision::Pause(now + respected.unwrap_or_else(pause)),
        FaultKind::Fatal => {
            // A `Retry-After` below the minimum is no reason to ask sooner than without one.
            let wait = asked.map_or(FATAL_PAUSE, |_| respected.unwrap_or_else(pause));
            Decision::Pause(now + wait)
        }
        FaultKind::ConnectionLost | FaultKind::Retryable if history.breaker.is_down => {
            Decision::Pause(now + asked.unwrap_or_default().max(pause()))
        }
        FaultKind::ConnectionLost | FaultKind::Retryable => {
            let wait = || backoff(history.failed.saturating_add(1), LONGEST_BACKOFF, jitter);
            Decision::Retry(now + respected.unwrap_or_else(wait))
        }
    }
}

/// Returns an exponential backoff with full jitter: a random time up to the doubled limit, so that
/// retries never come in waves.
fn backoff(failed: u32, longest: Duration, jitter: f64) -> Duration {
    let doublings = failed.saturating_sub(1).min(16);
    FIRST_BACKOFF
        .saturating_mul(1 << doublings)
        .min(longest)
        .mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: History = History {
        failed: 0,
        immediate_retry_used: false,
        breaker: BreakerHistory {
            is_down: false,
            pauses: 0,
        },
    };

    /// Returns the decision, with its time as a wait from now on.
    fn after(fault: &Fault, history: History, jitter: f64) -> (&'static str, Duration) {
        let now = Instant::now();
        match decide(Err(fault), &history, now, jitter) {
            Decision::Delivered => ("delivered", Duration::ZERO),
            Decision::DeadLetter => ("dead letter", Duration::ZERO),
            Decision::RetryNow => ("at once", Duration::ZERO),
            Decision::Retry(at) => ("retry", at - now),
            Decision::Pause(until) => ("pause", until - now),
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn backoff_doubles_from_half_a_second_to_its_maximum() {
        let limits: Vec<_> = (1..=12)
            .map(|failed| backoff(failed, LONGEST_BACKOFF, 1.0).as_millis())
            .collect();
        assert_eq!(
            limits,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
                300_000
            ]
        );
        assert_eq!(backoff(u32::MAX, LONGEST_PAUSE, 1.0), LONGEST_PAUSE);
        assert_eq!(backoff(5, LONGEST_BACKOFF, 0.0), Duration::ZERO);
    }

    #[test]
    fn retry_after_beats_backoff_and_is_capped() {
        let fault = |wait| Fault::retryable("busy").after(Some(Duration::from_secs(wait)));
        let tired = History { failed: 9, ..NEW };
        assert_eq!(after(&fault(7), tired, 0.0), ("retry", 7 * SECOND));
        assert_eq!(
            after(&fault(10), NEW, 0.5),
            ("retry", Duration::from_millis(10_500))
        );
        assert_eq!(
            after(&fault(1_000_000_000), NEW, 0.0),
            ("retry", LONGEST_RETRY_AFTER)
        );
    }

    #[test]
    fn a_rate_limit_pauses_everything_and_a_rejection_nothing() {
        let wait = 3 * SECOND;
        let limited = Fault::rate_limited("slow down").after(Some(wait));
        assert_eq!(after(&limited, NEW, 0.0), ("pause", wait));
        assert_eq!(
            after(&Fault::fatal("wrong key"), NEW, 0.9),
            ("pause", FATAL_PAUSE)
        );
        for fault in [Fault::rejected("no such action"), Fault::panicked()] {
            assert_eq!(after(&fault, NEW, 0.9).0, "dead letter");
        }
        assert_eq!(
            decide(Ok(()), &NEW, Instant::now(), 0.9),
            Decision::Delivered
        );
    }

    #[test]
    fn fault_51_a_retry_after_of_nothing_is_no_hot_loop() {
        let faults: [fn(&'static str) -> Fault; 3] =
            [Fault::rate_limited, Fault::fatal, Fault::retryable];
        for fault in faults {
            for asked in [Duration::ZERO, Duration::from_millis(1)] {
                let fault = fault("no wait").after(Some(asked));
                for pauses in [0, 3, 20] {
                    let mut history = NEW;
                    history.failed = pauses;
                    history.breaker.pauses = pauses;
                    let waits = [0.5, 0.99].map(|jitter| after(&fault, history, jitter).1);
                    assert!(waits[0] >= FIRST_BACKOFF.mul_f64(0.5), "{fault} {waits:?}");
                    assert!(waits[1] > waits[0], "{fault} {waits:?}");
                }
                let mut history = NEW;
                history.breaker.is_down = true;
                assert!(after(&fault, history, 0.0).1 >= SHORTEST_PAUSE, "{fault}");
            }
        }
    }

    #[test]
    fn a_lost_connection_is_retried_immediately_and_only_once() {
        let broken = Fault::connection_lost("reset");
        assert_eq!(after(&broken, NEW, 0.5).0, "at once");
        let immediate_retry_used = History {
            immediate_retry_used: true,
            ..NEW
        };
        assert_eq!(
            after(&broken, immediate_retry_used, 0.5),
            ("retry", Duration::from_millis(250))
        );
    }

    #[test]
    fn a_sink_that_is_down_is_probed_once_a_second_at_most() {
        let down = |pauses| History {
            breaker: BreakerHistory {
                is_down: true,
                pauses,
            },
            ..NEW
        };
        for fault in [Fault::retryable("503"), Fault::connection_lost("reset")] {
            assert_eq!(after(&fault, down(0), 0.0), ("pause", SECOND));
            assert_eq!(after(&fault, down(30), 0.0), ("pause", SECOND));
            assert_eq!(after(&fault, down(30), 1.0), ("pause", LONGEST_PAUSE));
        }
        let asked = Fault::retryable("503").after(Some(120 * SECOND));
        assert_eq!(after(&asked, down(0), 0.0), ("pause", 120 * SECOND));
    }
}
