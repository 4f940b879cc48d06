//! What happens after an attempt: one pure function.

use std::time::Duration;

use crate::sink::{Fault, Kind};

/// The first wait after a failed attempt is drawn from up to this long.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// No wait of our own choice is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// A `Retry-After` is believed up to this long; then one attempt finds out.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// How long everything waits after a fault that somebody has to mend, before one attempt finds out whether they did.
const FATAL_PAUSE: Duration = Duration::from_secs(5);

/// What happens to an event after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Delivered,
    /// Kept aside with the reason; never sent again by itself.
    DeadLetter,
    /// This event waits.
    Retry(Duration),
    /// Every event waits, then one goes first.
    Pause(Duration),
}

/// Decides by the attempt's fault and how many attempts this event has had, this one included. `draw` is a random
/// number in `[0, 1)`.
pub(super) fn decide(delivery: Result<(), &Fault>, attempts: u32, draw: f64) -> Decision {
    let Err(fault) = delivery else {
        return Decision::Delivered;
    };
    let asked = fault.retry_after().map(|wait| {
        // Everybody who was told the same moment spreads over a tenth more.
        let wait = wait.min(LONGEST_RETRY_AFTER);
        wait + wait.mul_f64(draw * 0.1)
    });
    match fault.kind() {
        Kind::Rejected | Kind::Panicked => Decision::DeadLetter,
        Kind::Retryable => Decision::Retry(asked.unwrap_or_else(|| backoff(attempts, draw))),
        Kind::Limited => Decision::Pause(asked.unwrap_or_else(|| backoff(attempts, draw))),
        Kind::Fatal => Decision::Pause(asked.unwrap_or(FATAL_PAUSE)),
    }
}

/// Exponential with full jitter: anything from nothing to the doubled limit, so that retries never come in waves.
fn backoff(attempts: u32, draw: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    FIRST_BACKOFF
        .saturating_mul(1 << doublings)
        .min(LONGEST_BACKOFF)
        .mul_f64(draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_from_half_a_second_to_a_minute() {
        let limits: Vec<_> = (1..=9)
            .map(|attempts| backoff(attempts, 1.0).as_millis())
            .collect();
        assert_eq!(
            limits,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000
            ]
        );
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST_BACKOFF);
        assert_eq!(backoff(5, 0.0), Duration::ZERO);
    }

    #[test]
    fn retry_after_beats_backoff_and_is_capped() {
        let fault = |wait| Fault::retryable("busy").after(Some(Duration::from_secs(wait)));
        assert_eq!(
            decide(Err(&fault(7)), 9, 0.0),
            Decision::Retry(Duration::from_secs(7))
        );
        assert_eq!(
            decide(Err(&fault(10)), 1, 0.5),
            Decision::Retry(Duration::from_millis(10_500))
        );
        assert_eq!(
            decide(Err(&fault(1_000_000_000)), 1, 0.0),
            Decision::Retry(LONGEST_RETRY_AFTER)
        );
    }

    #[test]
    fn a_limit_pauses_everything_and_a_rejection_nothing() {
        let wait = Duration::from_secs(3);
        assert_eq!(
            decide(Err(&Fault::limited("slow down").after(Some(wait))), 1, 0.0),
            Decision::Pause(wait)
        );
        assert_eq!(
            decide(Err(&Fault::fatal("wrong key")), 1, 0.9),
            Decision::Pause(FATAL_PAUSE)
        );
        assert_eq!(
            decide(Err(&Fault::rejected("no such action")), 1, 0.9),
            Decision::DeadLetter
        );
        assert_eq!(
            decide(Err(&Fault::panicked()), 1, 0.9),
            Decision::DeadLetter
        );
        assert_eq!(decide(Ok(()), 1, 0.9), Decision::Delivered);
    }
}
