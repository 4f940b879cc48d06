//! The decision after an attempt, as one pure function.

use std::time::Duration;

use tokio::time::Instant;

use super::attribution::Cause;
use crate::sink::{Fault, FaultKind};

/// The upper bound of the first backoff.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest backoff of one event that fails while others pass.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// The rounds after which an event that alone meets a fatal fault becomes a dead letter. With the
/// backoff between them they take about ten minutes.
pub(super) const FATAL_ROUNDS: u32 = 10;
/// The rounds after which an event becomes a dead letter that alone meets another fault. They take
/// more than an hour.
pub(super) const RETRYABLE_ROUNDS: u32 = 40;
/// The shortest wait of an event between two attempts, apart from one immediate retry.
const SHORTEST_BACKOFF: Duration = Duration::from_millis(50);
/// The longest pause between probes of a sink that is down, so that its recovery is noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The shortest pause between probes.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is respected; after that one attempt probes the sink.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// The pause after a fault of the configuration, before one attempt probes whether it was fixed.
const FATAL_PAUSE: Duration = Duration::from_secs(5);

/// The history of an event and of the sink when an attempt has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// The cause of the failure.
    pub(super) cause: Cause,
    /// Failed attempts that are charged to the event.
    pub(super) failed: u32,
    /// The failures of the event that each followed the acceptance of another one.
    pub(super) rounds: u32,
    /// Set once the event's one immediate retry was used.
    pub(super) immediate_retry_used: bool,
    /// The consecutive pauses without a success in between.
    pub(super) pauses: u32,
    /// Set if failing events were recently taken for a failing sink.
    pub(super) is_mixed: bool,
}

/// The consequence of an attempt, for its event and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Delivered,
    /// The event is kept with the reason, and never sent again automatically.
    DeadLetter,
    /// The event failed for too many rounds while others passed, and is kept as a dead letter.
    GiveUp,
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
    if matches!(
        fault.kind(),
        FaultKind::Rejected | FaultKind::Panicked | FaultKind::Lost
    ) {
        return Decision::DeadLetter;
    }
    let asked = fault.retry_after().map(|wait| {
        // Up to 10 % jitter, so that clients with the same `Retry-After` do not retry at once.
        let wait = wait.min(LONGEST_RETRY_AFTER);
        wait + wait.mul_f64(jitter * 0.1)
    });
    // A service that asks for no wait at all gets the backoff, or every retry would be immediate.
    let respected = asked.filter(|wait| *wait >= SHORTEST_PAUSE);
    match history.cause {
        Cause::Sink => {
            Decision::Pause(now + pause(fault.kind(), history, asked, respected, jitter))
        }
        Cause::Event if history.rounds >= rounds(fault.kind()) => Decision::GiveUp,
        Cause::Event => {
            // A refusal is less likely to end by itself than an error.
            let skipped = match fault.kind() {
                FaultKind::Fatal => 2,
                _ => 0,
            };
            let failed = history.failed.saturating_add(1 + skipped);
            let wait = backoff(failed, LONGEST_BACKOFF, jitter).max(SHORTEST_BACKOFF);
            Decision::Retry(now + respected.map_or(wait, |asked| asked.max(wait)))
        }
        Cause::Unknown
            if fault.kind() == FaultKind::ConnectionLost && !history.immediate_retry_used =>
        {
            Decision::RetryNow
        }
        Cause::Unknown => {
            // If the sink is down, the end of the outage is noticed soon.
            let wait = backoff(history.failed.saturating_add(1), LONGEST_PAUSE, jitter);
            Decision::Retry(now + respected.unwrap_or_else(|| wait.max(SHORTEST_BACKOFF)))
        }
    }
}

/// Returns the number of rounds after which an event that fails alone becomes a dead letter.
fn rounds(kind: FaultKind) -> u32 {
    match kind {
        FaultKind::Fatal => FATAL_ROUNDS,
        _ => RETRYABLE_ROUNDS,
    }
}

/// Returns the pause before the next probe.
fn pause(
    kind: FaultKind,
    history: &History,
    asked: Option<Duration>,
    respected: Option<Duration>,
    jitter: f64,
) -> Duration {
    let growing = || {
        let wait = backoff(history.pauses.saturating_add(1), LONGEST_PAUSE, jitter);
        wait.max(SHORTEST_PAUSE.mul_f64(1.0 + jitter))
    };
    match kind {
        FaultKind::RateLimited => respected.unwrap_or_else(growing),
        // A `Retry-After` below the minimum is no reason to ask sooner than without one.
        FaultKind::Fatal if asked.is_some() => respected.unwrap_or_else(growing),
        // The next probe probably passes.
        _ if history.is_mixed => asked.unwrap_or_default().max(SHORTEST_PAUSE),
        FaultKind::Fatal => FATAL_PAUSE,
        _ => asked.unwrap_or_default().max(growing()),
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
        cause: Cause::Unknown,
        failed: 0,
        rounds: 0,
        immediate_retry_used: false,
        pauses: 0,
        is_mixed: false,
    };

    /// Returns the history of a sink that is down.
    fn down(pauses: u32) -> History {
        History {
            cause: Cause::Sink,
            pauses,
            ..NEW
        }
    }

    /// Returns the decision, with its time as a wait from now on.
    fn after(fault: &Fault, history: History, jitter: f64) -> (&'static str, Duration) {
        let now = Instant::now();
        match decide(Err(fault), &history, now, jitter) {
            Decision::Delivered => ("delivered", Duration::ZERO),
            Decision::DeadLetter => ("dead letter", Duration::ZERO),
            Decision::GiveUp => ("given up", Duration::ZERO),
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
        assert_eq!(after(&limited, down(0), 0.0), ("pause", wait));
        assert_eq!(
            after(&Fault::fatal("wrong key"), down(0), 0.9),
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
                for (pauses, cause) in
                    [0, 3, 20]
                        .into_iter()
                        .zip([Cause::Unknown, Cause::Event, Cause::Sink])
                {
                    let history = History {
                        cause,
                        failed: pauses,
                        pauses,
                        ..NEW
                    };
                    let waits = [0.5, 0.99].map(|jitter| after(&fault, history, jitter).1);
                    assert!(waits[0] >= FIRST_BACKOFF.mul_f64(0.5), "{fault} {waits:?}");
                    assert!(waits[1] > waits[0], "{fault} {waits:?}");
                }
                assert!(after(&fault, down(0), 0.0).1 >= SHORTEST_PAUSE, "{fault}");
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
        for fault in [Fault::retryable("503"), Fault::connection_lost("reset")] {
            assert_eq!(after(&fault, down(0), 0.0), ("pause", SECOND));
            assert_eq!(after(&fault, down(30), 0.0), ("pause", SECOND));
            assert_eq!(after(&fault, down(30), 1.0), ("pause", LONGEST_PAUSE));
        }
        let asked = Fault::retryable("503").after(Some(120 * SECOND));
        assert_eq!(after(&asked, down(0), 0.0), ("pause", 120 * SECOND));
    }

    #[test]
    fn fault_41_an_event_that_fails_alone_is_given_up_after_a_number_of_rounds() {
        let alone = |rounds| History {
            cause: Cause::Event,
            failed: rounds,
            rounds,
            ..NEW
        };
        for (fault, most) in [
            (Fault::fatal("403"), FATAL_ROUNDS),
            (Fault::retryable("500"), RETRYABLE_ROUNDS),
            (Fault::rate_limited("429"), RETRYABLE_ROUNDS),
            (Fault::connection_lost("reset"), RETRYABLE_ROUNDS),
        ] {
            let (decision, wait) = after(&fault, alone(most - 1), 1.0);
            assert_eq!(decision, "retry", "{fault}");
            assert!(wait <= LONGEST_BACKOFF, "{fault}");
            assert_eq!(after(&fault, alone(most), 1.0).0, "given up", "{fault}");
            // Without another event that passed it is kept.
            let mut unknown = alone(most);
            unknown.cause = Cause::Sink;
            assert_eq!(after(&fault, unknown, 1.0).0, "pause", "{fault}");
        }
    }
}
