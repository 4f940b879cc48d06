//! How delivery fares, for a readiness probe or a page that people look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How delivery fares, see [`Recorder::health`](crate::Recorder::health).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The level.
    pub state: HealthState,
    /// Why it is not green, in a sentence for people. It holds no key and no content of an event.
    pub reason: Option<String>,
    /// How long the oldest event that has not come to its end has been with the dispatcher.
    pub oldest_pending: Option<Duration>,
    /// How long what is pending will take, by the pace and the rate of the last seconds; `None`
    /// while the sink takes nothing.
    pub drain_time: Option<Duration>,
}

/// How serious it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// Events are delivered.
    Healthy,
    /// Delivery is late, limited or nearly at the queue's bound; it is expected to recover by
    /// itself.
    Degraded,
    /// Nothing is delivered until somebody mends something, or events are being refused.
    Unhealthy,
}

/// What the dispatcher says of itself, for [`Health`].
#[derive(Debug)]
pub(crate) struct HealthTracker {
    born: Instant,
    state: Mutex<State>,
    /// Milliseconds after `born` at which the oldest open event was fetched, and one more; 0
    /// without one.
    oldest: AtomicU64,
    /// Milliseconds after `born` of the last refusal, and one more; 0 without one.
    refused: AtomicU64,
    late: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct State {
    sink: SinkState,
    /// Why actions of the catalog are not known to the sink, or that it could not be asked.
    catalog: Option<String>,
    /// How often in a row the dispatcher had to be started again; cleared when an event comes to
    /// its end.
    restarts: u32,
    gone: bool,
    rate: Option<f64>,
}

/// What the sink to the sink is in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum SinkState {
    #[default]
    Healthy,
    /// The sink asked for a pause.
    RateLimited(String),
    /// Attempts of several events failed in a row.
    Down(String),
    /// Somebody has to mend something.
    Misconfigured(String),
}

/// For this long after a refusal health is red.
const REFUSED_LATELY: Duration = Duration::from_secs(60);
/// And for this long after a durable event was late.
const LATE_LATELY: Duration = Duration::from_secs(60);
/// From this share of its bounds on, the queue counts as nearly full, in hundredths.
const NEARLY_FULL: u64 = 80;

/// What of the queue health looks at.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// How the spool's disk fares, if there is a spool, and how many events are on it.
    pub(crate) disk: Option<(HealthState, Option<String>)>,
    pub(crate) spooled: u64,
    pub(crate) pending: u64,
    pub(crate) capacity: u64,
    pub(crate) bytes: u64,
    pub(crate) max_bytes: u64,
    /// Attempts a second that the sink may see.
    pub(crate) rate_limit: Option<f64>,
}

impl HealthTracker {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            state: Mutex::default(),
            oldest: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_sink(&self, sink: SinkState) {
        self.state().sink = sink;
    }

    pub(crate) fn set_catalog(&self, problem: Option<String>) {
        self.state().catalog = problem;
    }

    /// The dispatcher had to be started again, so often in a row; 0 when it works again.
    pub(crate) fn set_restarts(&self, restarts: u32) {
        self.state().restarts = restarts;
    }

    /// The dispatcher is not started again any more.
    pub(crate) fn mark_stopped(&self) {
        self.state().gone = true;
    }

    /// Events a second that came to their end in the last seconds.
    pub(crate) fn set_rate(&self, rate: f64) {
        self.state().rate = Some(rate);
    }

    pub(crate) fn set_oldest(&self, waited: Option<Duration>) {
        let moment = waited.map_or(0, |waited| {
            millis(self.born.elapsed().saturating_sub(waited)).saturating_add(1)
        });
        self.oldest.store(moment, Ordering::Relaxed);
    }

    pub(crate) fn record_refusal(&self) {
        let moment = millis(self.born.elapsed()).saturating_add(1);
        self.refused.store(moment, Ordering::Relaxed);
    }

    pub(crate) fn record_deadline_exceeded(&self) {
        let moment = millis(self.born.elapsed()).saturating_add(1);
        self.late.store(moment, Ordering::Relaxed);
    }

    fn since(&self, moment: &AtomicU64) -> Option<Duration> {
        let moment = moment.load(Ordering::Relaxed).checked_sub(1)?;
        Some(
            self.born
                .elapsed()
                .saturating_sub(Duration::from_millis(moment)),
        )
    }

    pub(crate) fn health(&self, load: Load) -> Health {
        let state = self.state().clone();
        let within = |moment, lately| self.since(moment).is_some_and(|since| since < lately);
        let recent = Recent {
            refused: within(&self.refused, REFUSED_LATELY),
            late: within(&self.late, LATE_LATELY),
        };
        let (level, reason) = verdict(&state, recent, &load);
        Health {
            state: level,
            reason,
            oldest_pending: self.since(&self.oldest),
            drain_time: drain_time(&state, &load),
        }
    }
}

/// What happened within the last minute.
#[derive(Clone, Copy)]
struct Recent {
    refused: bool,
    late: bool,
}

fn verdict(state: &State, recent: Recent, load: &Load) -> (HealthState, Option<String>) {
    use HealthState::{Degraded, Healthy, Unhealthy};
    let red = |reason: String| (Unhealthy, Some(reason));
    let yellow = |reason: String| (Degraded, Some(reason));
    let share = |of: u64, bound: u64| of.saturating_mul(100) / bound.max(1);
    let full = share(load.pending, load.capacity).max(share(load.bytes, load.max_bytes));
    if state.gone {
        return red(
            "the dispatcher panicked too often and was given up; events are refused until the process is started again"
                .to_owned(),
        );
    }
    if state.restarts > 0 {
        return red(format!(
            "the dispatcher panicked and was started again, {} times without an event delivered in between",
            state.restarts
        ));
    }
    if let SinkState::Misconfigured(reason) = &state.sink {
        return red(format!("delivery waits until this is mended: {reason}"));
    }
    if let Some((level @ (Unhealthy | Degraded), reason)) = &load.disk {
        return (*level, reason.clone());
    }
    if recent.refused {
        return red(format!(
            "events were refused within the last minute; the queue holds {} of {}",
            load.pending, load.capacity
        ));
    }
    if recent.late {
        return red(
            "durable events were not on the disk in time within the last minute; the log says why"
                .to_owned(),
        );
    }
    if let SinkState::Down(reason) = &state.sink {
        return yellow(format!(
            "the sink is down, and is asked again from time to time: {reason}"
        ));
    }
    if full >= NEARLY_FULL {
        return yellow(format!(
            "the queue is {full} % full; at 100 % events are refused"
        ));
    }
    if let SinkState::RateLimited(reason) = &state.sink {
        return yellow(format!("the sink asked for a pause: {reason}"));
    }
    match &state.catalog {
        Some(problem) => yellow(problem.clone()),
        None => (Healthy, None),
    }
}

fn drain_time(state: &State, load: &Load) -> Option<Duration> {
    let pending = load.pending + load.spooled;
    if pending == 0 {
        return Some(Duration::ZERO);
    }
    if state.gone || matches!(state.sink, SinkState::Down(_) | SinkState::Misconfigured(_)) {
        return None;
    }
    let rate = match (state.rate, load.rate_limit) {
        (Some(rate), Some(pace)) => rate.min(pace),
        (Some(rate), None) | (None, Some(rate)) => rate,
        (None, None) => return None,
    };
    Duration::try_from_secs_f64(pending as f64 / rate).ok()
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Load = Load {
        disk: None,
        spooled: 0,
        pending: 0,
        capacity: 100,
        bytes: 0,
        max_bytes: 1_000,
        rate_limit: Some(90.0),
    };

    #[test]
    fn the_worst_reason_is_the_one_that_is_told() {
        let condition = HealthTracker::new();
        let told = |load| {
            let health = condition.health(load);
            (health.state, health.reason.unwrap_or_default())
        };
        assert_eq!(told(IDLE), (HealthState::Healthy, String::new()));

        condition.set_catalog(Some("2 actions are not registered".to_owned()));
        assert!(told(IDLE).1.contains("not registered"));
        condition.set_sink(SinkState::RateLimited("429".to_owned()));
        assert!(told(IDLE).1.contains("asked for a pause: 429"));
        let full = Load {
            pending: 85,
            ..IDLE
        };
        assert_eq!(told(full.clone()).0, HealthState::Degraded);
        assert!(told(full.clone()).1.contains("85 % full"));
        let bytes = Load { bytes: 990, ..IDLE };
        assert!(told(bytes).1.contains("99 % full"));
        condition.set_sink(SinkState::Down("503".to_owned()));
        assert!(told(full.clone()).1.contains("is down") && told(full).1.contains("503"));
        condition.record_refusal();
        assert_eq!(told(IDLE).0, HealthState::Unhealthy);
        assert!(told(IDLE).1.contains("refused"));
        condition.set_sink(SinkState::Misconfigured("401".to_owned()));
        assert!(told(IDLE).1.contains("mended: 401"));
        condition.set_restarts(2);
        assert!(told(IDLE).1.contains("started again, 2 times"));
        condition.mark_stopped();
        assert!(told(IDLE).1.contains("given up"));
    }

    #[test]
    fn the_drain_time_follows_the_slower_of_pace_and_rate() {
        let condition = HealthTracker::new();
        let load = Load {
            pending: 900,
            capacity: 10_000,
            ..IDLE
        };
        let drain = |load| condition.health(load).drain_time;
        assert_eq!(drain(IDLE), Some(Duration::ZERO));
        assert_eq!(drain(load.clone()), Some(Duration::from_secs(10)));
        condition.set_rate(45.0);
        assert_eq!(drain(load.clone()), Some(Duration::from_secs(20)));
        assert_eq!(
            drain(Load {
                rate_limit: None,
                ..load.clone()
            }),
            Some(Duration::from_secs(20))
        );
        condition.set_sink(SinkState::Down("503".to_owned()));
        assert_eq!(drain(load), None);
    }

    #[test]
    fn the_age_of_the_oldest_event_goes_on_by_itself() {
        let condition = HealthTracker::new();
        condition.set_oldest(Some(Duration::ZERO));
        assert!(condition.health(IDLE).oldest_pending.is_some());
        condition.set_oldest(None);
        assert_eq!(condition.health(IDLE).oldest_pending, None);
    }
}
