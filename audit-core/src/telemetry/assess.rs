//! The assessment of health: from the state of delivery to its problems.

use std::time::Duration;

use super::health::{HealthProblem, HealthState};

/// The share of its bounds, in percent, from which the queue counts as nearly full.
const NEARLY_FULL: u64 = 80;
/// The time for which the dispatcher may be busy without a pause. Its tasks never block.
const BLOCKED_AFTER: Duration = Duration::from_secs(10);

/// The state of the sink, as the circuit breaker sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum SinkState {
    #[default]
    Healthy,
    /// The sink asked for a pause.
    RateLimited(String),
    /// Attempts of several events failed in a row.
    Down(String),
    /// The sink accepts nothing until an operator changes its configuration.
    Misconfigured(String),
}

/// The ages of the oldest undelivered event from which health changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgeLimits {
    /// The age from which health is degraded, unless the sink asked for a pause.
    pub(crate) late: Duration,
    /// The age from which health is unhealthy.
    pub(crate) overdue: Duration,
}

/// The state that the dispatcher publishes.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) sink: SinkState,
    /// The actions of the catalog that the sink does not know, or the reason why the sink could
    /// not be asked, as a sentence.
    pub(super) catalog_problem: Option<String>,
    /// Consecutive restarts of the dispatcher; reset when an event reaches its final state.
    pub(super) restarts: u32,
    pub(super) is_stopped: bool,
    /// Events per second that reached their final state.
    pub(super) rate: Option<f64>,
}

/// The load of queue and spool, at the moment when health is computed.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// The health of the spool, if there is one.
    pub(crate) spool: Option<SpoolHealth>,
    /// Events on the spool.
    pub(crate) spooled: u64,
    pub(crate) pending: u64,
    pub(crate) capacity: u64,
    pub(crate) bytes: u64,
    pub(crate) max_bytes: u64,
    /// The sink's limit in attempts per second.
    pub(crate) rate_limit: Option<f64>,
}

/// The health of a spool.
#[derive(Clone, Debug)]
pub(crate) struct SpoolHealth {
    pub(crate) state: HealthState,
    pub(crate) reason: Option<String>,
}

/// The events of the last minute that affect health, and the times that do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recent {
    pub(super) refusal: bool,
    pub(super) deadline_exceeded: bool,
    pub(super) dead_letter: bool,
    pub(super) dropped_dead_letter: bool,
    /// The age of the oldest undelivered event.
    pub(super) oldest: Option<Duration>,
    /// The time for which the dispatcher has been busy without a pause.
    pub(super) busy: Option<Duration>,
}

/// Returns all problems, the most severe first.
///
/// Of equally severe ones, one that causes others comes before them.
pub(super) fn problems(
    state: &State,
    recent: Recent,
    load: &Load,
    limits: AgeLimits,
) -> Vec<HealthProblem> {
    let mut problems: Vec<_> = dispatcher(state, recent)
        .into_iter()
        .chain(sink(&state.sink))
        .chain(spool(load.spool.as_ref()))
        .chain(refusals(recent, load))
        .chain(age(&state.sink, recent.oldest, limits))
        .chain(dead_letters(recent))
        .chain(fill(load))
        .chain(state.catalog_problem.clone().map(HealthProblem::degraded))
        .collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.state));
    problems
}

fn dispatcher(state: &State, recent: Recent) -> Option<HealthProblem> {
    if state.is_stopped {
        return Some(HealthProblem::unhealthy(
            "the dispatcher panicked too often and was stopped; events are refused until the process is restarted",
        ));
    }
    if state.restarts > 0 {
        return Some(HealthProblem::unhealthy(format!(
            "the dispatcher panicked and was restarted, {} times without an event delivered in between",
            state.restarts
        )));
    }
    let busy = recent.busy.filter(|busy| *busy >= BLOCKED_AFTER)?;
    Some(HealthProblem::unhealthy(format!(
        "the dispatcher's thread has been blocked for {} s by the sink, the hook for dead letters or the log; \
         nothing is delivered meanwhile",
        busy.as_secs()
    )))
}

fn sink(state: &SinkState) -> Option<HealthProblem> {
    match state {
        SinkState::Healthy => None,
        SinkState::Misconfigured(reason) => Some(HealthProblem::unhealthy(format!(
            "delivery is paused until the configuration is fixed: {reason}"
        ))),
        SinkState::Down(reason) => Some(HealthProblem::degraded(format!(
            "the sink is down, and is probed from time to time: {reason}"
        ))),
        SinkState::RateLimited(reason) => Some(HealthProblem::degraded(format!(
            "the sink asked for a pause: {reason}"
        ))),
    }
}

fn spool(health: Option<&SpoolHealth>) -> Option<HealthProblem> {
    let health = health.filter(|health| health.state > HealthState::Healthy)?;
    Some(HealthProblem {
        state: health.state,
        reason: health
            .reason
            .clone()
            .unwrap_or_else(|| "the spool is impaired".to_owned()),
    })
}

fn refusals(recent: Recent, load: &Load) -> impl Iterator<Item = HealthProblem> {
    let refused = recent.refusal.then(|| {
        HealthProblem::unhealthy(format!(
            "events were refused within the last minute; the queue holds {} of {}",
            load.pending, load.capacity
        ))
    });
    let late = recent.deadline_exceeded.then(|| {
        HealthProblem::unhealthy(
            "durable events were not on the disk in time within the last minute; the log has the reason",
        )
    });
    refused.into_iter().chain(late)
}

fn age(sink: &SinkState, oldest: Option<Duration>, limits: AgeLimits) -> Option<HealthProblem> {
    let oldest = oldest?;
    let reason = || {
        format!(
            "the oldest undelivered event is {} s old; the log has the faults of its attempts",
            oldest.as_secs()
        )
    };
    if oldest >= limits.overdue {
        return Some(HealthProblem::unhealthy(reason()));
    }
    let is_announced = matches!(sink, SinkState::RateLimited(_));
    (oldest >= limits.late && !is_announced).then(|| HealthProblem::degraded(reason()))
}

fn dead_letters(recent: Recent) -> impl Iterator<Item = HealthProblem> {
    let dropped = recent.dropped_dead_letter.then(|| {
        HealthProblem::unhealthy(
            "dead letters were dropped for newer ones within the last minute; fix their reason, then send them again with `redrive`",
        )
    });
    let rejected = recent.dead_letter.then(|| {
        HealthProblem::degraded(
            "the sink rejected events within the last minute; they are kept as dead letters with the reason",
        )
    });
    dropped.into_iter().chain(rejected)
}

fn fill(load: &Load) -> Option<HealthProblem> {
    let percent = |of: u64, bound: u64| of.saturating_mul(100) / bound.max(1);
    let full = percent(load.pending, load.capacity).max(percent(load.bytes, load.max_bytes));
    (full >= NEARLY_FULL).then(|| {
        HealthProblem::degraded(format!(
            "the queue is {full} % full; at 100 % events are refused"
        ))
    })
}

/// Returns the estimated time to deliver everything.
pub(super) fn drain_time(state: &State, load: &Load) -> Option<Duration> {
    let pending = load.pending + load.spooled;
    if pending == 0 {
        return Some(Duration::ZERO);
    }
    if state.is_stopped || matches!(state.sink, SinkState::Down(_) | SinkState::Misconfigured(_)) {
        return None;
    }
    let rate = match (state.rate, load.rate_limit) {
        (Some(rate), Some(limit)) => rate.min(limit),
        (Some(rate), None) | (None, Some(rate)) => rate,
        (None, None) => return None,
    };
    Duration::try_from_secs_f64(pending as f64 / rate).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use HealthState::{Degraded, Healthy, Unhealthy};

    const IDLE: Load = Load {
        spool: None,
        spooled: 0,
        pending: 0,
        capacity: 100,
        bytes: 0,
        max_bytes: 1_000,
        rate_limit: Some(90.0),
    };
    const LIMITS: AgeLimits = AgeLimits {
        late: Duration::from_secs(60),
        overdue: Duration::from_secs(3_600),
    };
    const CALM: Recent = Recent {
        refusal: false,
        deadline_exceeded: false,
        dead_letter: false,
        dropped_dead_letter: false,
        oldest: None,
        busy: None,
    };

    fn with_sink(sink: SinkState) -> State {
        State {
            sink,
            ..State::default()
        }
    }

    fn with_spool(state: HealthState) -> Load {
        Load {
            spool: Some(SpoolHealth {
                state,
                reason: Some("the disk of the spool is full".to_owned()),
            }),
            ..IDLE
        }
    }

    fn aged(seconds: u64) -> Recent {
        Recent {
            oldest: Some(Duration::from_secs(seconds)),
            ..CALM
        }
    }

    /// A case, its state, and the expected severity and reasons.
    type Row = (
        &'static str,
        State,
        Recent,
        Load,
        HealthState,
        &'static [&'static str],
    );

    #[test]
    fn fault_45_every_state_has_its_health_and_all_problems_are_listed() {
        let healthy = State::default;
        let limited = || with_sink(SinkState::RateLimited("429".to_owned()));
        let down = || with_sink(SinkState::Down("503".to_owned()));
        let misconfigured = || with_sink(SinkState::Misconfigured("401".to_owned()));
        let stopped = State {
            is_stopped: true,
            ..State::default()
        };
        let restarted = State {
            restarts: 2,
            ..State::default()
        };
        let unregistered = State {
            catalog_problem: Some("2 actions are not registered".to_owned()),
            ..State::default()
        };
        let refused = Recent {
            refusal: true,
            ..CALM
        };
        let exceeded = Recent {
            deadline_exceeded: true,
            ..CALM
        };
        let dead = Recent {
            dead_letter: true,
            ..CALM
        };
        let dropped = Recent {
            dead_letter: true,
            dropped_dead_letter: true,
            ..CALM
        };
        let busy = |seconds| Recent {
            busy: Some(Duration::from_secs(seconds)),
            ..CALM
        };
        let full = Load {
            pending: 85,
            ..IDLE
        };
        let full_of_bytes = Load { bytes: 990, ..IDLE };
        let table: Vec<Row> = vec![
            ("idle", healthy(), CALM, IDLE, Healthy, &[]),
            (
                "pending for a moment",
                healthy(),
                aged(59),
                IDLE,
                Healthy,
                &[],
            ),
            (
                "pending for a minute",
                healthy(),
                aged(60),
                IDLE,
                Degraded,
                &["60 s old"],
            ),
            (
                "pending for an hour",
                healthy(),
                aged(3_600),
                IDLE,
                Unhealthy,
                &["3600 s old"],
            ),
            (
                "rate limited",
                limited(),
                aged(10),
                IDLE,
                Degraded,
                &["asked for a pause: 429"],
            ),
            (
                "rate limited for minutes",
                limited(),
                aged(300),
                IDLE,
                Degraded,
                &["asked for a pause"],
            ),
            (
                "rate limited for an hour",
                limited(),
                aged(4_000),
                IDLE,
                Unhealthy,
                &["4000 s old", "asked for a pause"],
            ),
            ("down", down(), aged(5), IDLE, Degraded, &["is down"]),
            (
                "down for a minute",
                down(),
                aged(61),
                IDLE,
                Degraded,
                &["is down", "61 s old"],
            ),
            (
                "down for an hour",
                down(),
                aged(3_601),
                IDLE,
                Unhealthy,
                &["3601 s old", "is down"],
            ),
            (
                "misconfigured",
                misconfigured(),
                CALM,
                IDLE,
                Unhealthy,
                &["configuration is fixed: 401"],
            ),
            (
                "misconfigured for long",
                misconfigured(),
                aged(90),
                IDLE,
                Unhealthy,
                &["configuration", "90 s old"],
            ),
            ("stopped", stopped, CALM, IDLE, Unhealthy, &["was stopped"]),
            (
                "restarted",
                restarted,
                CALM,
                IDLE,
                Unhealthy,
                &["restarted, 2 times"],
            ),
            ("busy", healthy(), busy(9), IDLE, Healthy, &[]),
            (
                "blocked",
                healthy(),
                busy(10),
                IDLE,
                Unhealthy,
                &["blocked for 10 s"],
            ),
            ("refused", healthy(), refused, IDLE, Unhealthy, &["refused"]),
            (
                "deadline exceeded",
                healthy(),
                exceeded,
                IDLE,
                Unhealthy,
                &["not on the disk in time"],
            ),
            (
                "rejected",
                healthy(),
                dead,
                IDLE,
                Degraded,
                &["rejected events"],
            ),
            (
                "dead letters dropped",
                healthy(),
                dropped,
                IDLE,
                Unhealthy,
                &["were dropped", "rejected events"],
            ),
            (
                "nearly full",
                healthy(),
                CALM,
                full.clone(),
                Degraded,
                &["85 % full"],
            ),
            (
                "nearly full of bytes",
                healthy(),
                CALM,
                full_of_bytes,
                Degraded,
                &["99 % full"],
            ),
            (
                "unregistered actions",
                unregistered,
                CALM,
                IDLE,
                Degraded,
                &["not registered"],
            ),
            (
                "spool is fine",
                healthy(),
                CALM,
                with_spool(Healthy),
                Healthy,
                &[],
            ),
            (
                "disk full",
                healthy(),
                CALM,
                with_spool(Degraded),
                Degraded,
                &["disk of the spool"],
            ),
            (
                "disk full and events refused",
                healthy(),
                refused,
                with_spool(Degraded),
                Unhealthy,
                &["refused", "disk of the spool"],
            ),
            (
                "disk fails",
                healthy(),
                CALM,
                with_spool(Unhealthy),
                Unhealthy,
                &["disk of the spool"],
            ),
            (
                "down and nearly full",
                down(),
                CALM,
                full,
                Degraded,
                &["is down", "85 % full"],
            ),
        ];
        for (case, state, recent, load, expected, reasons) in table {
            let problems = problems(&state, recent, &load, LIMITS);
            let worst = problems.first().map_or(Healthy, |problem| problem.state);
            assert_eq!(worst, expected, "{case}: {problems:?}");
            assert_eq!(problems.len(), reasons.len(), "{case}: {problems:?}");
            for (problem, reason) in problems.iter().zip(reasons) {
                assert!(problem.reason.contains(reason), "{case}: {problems:?}");
            }
        }
    }

    #[test]
    fn drain_time_uses_the_lower_of_rate_limit_and_rate() {
        let mut state = State::default();
        let load = Load {
            pending: 900,
            capacity: 10_000,
            ..IDLE
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(drain_time(&state, &IDLE), seconds(0));
        assert_eq!(drain_time(&state, &load), seconds(10));
        state.rate = Some(45.0);
        assert_eq!(drain_time(&state, &load), seconds(20));
        let unlimited = Load {
            rate_limit: None,
            ..load.clone()
        };
        assert_eq!(drain_time(&state, &unlimited), seconds(20));
        state.sink = SinkState::Down("503".to_owned());
        assert_eq!(drain_time(&state, &load), None);
    }
}
