//! What happens after an attempt: one pure function.

use std::time::Duration;

use tokio::time::Instant;

use super::circuit_breaker::BreakerHistory;
use crate::sink::{Fault, FaultKind};

/// The first wait after a failed attempt is drawn from up to this long.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// One event that fails while others pass waits no longer than this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// While the sink is down it is asked at least this often, so that an outage is over soon after it
/// ended.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// And at most this often.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// A `Retry-After` is believed up to this long; then one attempt finds out.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// How long everything waits after a fault that somebody has to mend, before one attempt finds out
/// whether they did.
const FATAL_PAUSE: Duration = Duration::from_secs(5);

/// What is known about an event when one of its attempts has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Failed attempts that were charged to the event.
    pub(super) failed: u32,
    /// Whether its one repetition at once was used.
    pub(super) immediate_retry_used: bool,
    pub(super) breaker: BreakerHistory,
}

/// What happens to an event, and to all, after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Delivered,
    /// Kept aside with the reason; never sent again by itself.
    DeadLetter,
    /// The same event at once. Nothing is charged.
    RetryNow,
    /// This event waits, and the failure is charged to it.
    Retry(Instant),
    /// Every event waits, then one goes first. Nothing is charged: the fault is not the event's.
    Pause(Instant),
}

/// Decides by the attempt's fault, the history of event and breaker, and the time. `draw` is a random
/// number in `[0, 1)`.
pub(super) fn decide(
    delivery: Result<(), &Fault>,
    history: &History,
    now: Instant,
    draw: f64,
) -> Decision {
    let Err(fault) = delivery else {
        return Decision::Delivered;
    };
    let asked = fault.retry_after().map(|wait| {
        // Everybody who was told the same moment spreads over a tenth more.
        let wait = wait.min(LONGEST_RETRY_AFTER);
        wait + wait.mul_f64(draw * 0.1)
    });
    let pause = || {
        let wait = backoff(
            history.breaker.pauses.saturating_add(1),
            LONGEST_PAUSE,
            draw,
        );
        wait.max(SHORTEST_PAUSE.mul_f64(1.0 + draw))
    };
    match fault.kind() {
        FaultKind::Rejected | FaultKind::Panicked | FaultKind::Lost => Decision::DeadLetter,
        FaultKind::ConnectionLost if !history.immediate_retry_used && !history.breaker.is_down => {
            Decision::RetryNow
        }
        FaultKind::RateLimited => Decision::Pause(now + asked.unwrap_or_else(pause)),
        FaultKind::Fatal => Decision::Pause(now + asked.unwrap_or(FATAL_PAUSE)),
        FaultKind::ConnectionLost | FaultKind::Retryable if history.breaker.is_down => {
            Decision::Pause(now + asked.unwrap_or_default().max(pause()))
        }
        FaultKind::ConnectionLost | FaultKind::Retryable => {
            let wait = || backoff(history.failed.saturating_add(1), LONGEST_BACKOFF, draw);
            Decision::Retry(now + asked.unwrap_or_else(wait))
        }
    }
}

/// Exponential with full jitter: anything from nothing to the doubled limit, so that retries never
/// come in waves.
fn backoff(failed: u32, longest: Duration, draw: f64) -> Duration {
    let doublings = failed.saturating_sub(1).min(16);
    FIRST_BACKOFF
        .saturating_mul(1 << doublings)
        .min(longest)
        .mul_f64(draw)
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

    /// The decision, with its moment as a wait from now on.
    fn after(fault: &Fault, history: History, draw: f64) -> (&'static str, Duration) {
        let now = Instant::now();
        match decide(Err(fault), &history, now, draw) {
            Decision::Delivered => ("delivered", Duration::ZERO),
            Decision::DeadLetter => ("dead letter", Duration::ZERO),
            Decision::RetryNow => ("at once", Duration::ZERO),
            Decision::Retry(at) => ("retry", at - now),
            Decision::Pause(until) => ("pause", until - now),
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn backoff_doubles_from_half_a_second_to_its_longest() {
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
    fn a_limit_pauses_everything_and_a_rejection_nothing() {
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
    fn a_broken_connection_is_tried_again_at_once_and_only_once() {
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
    fn while_the_sink_is_down_it_is_asked_once_a_second_at_most() {
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
