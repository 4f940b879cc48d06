//! The health of delivery, for readiness probes and dashboards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The health of delivery, see [`Recorder::health`](crate::Recorder::health).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The state. Of several problems at once, one is reported.
    pub state: HealthState,
    /// The reason why the state is not healthy, as a sentence for operators.
    ///
    /// It contains no key and no content of an event.
    pub reason: Option<String>,
    /// The time since the dispatcher fetched the oldest event that is still pending; `None` if
    /// nothing is pending.
    pub oldest_pending: Option<Duration>,
    /// The estimated time to deliver all pending and spooled events.
    ///
    /// The estimate uses the rate of the last seconds, at most the sink's rate limit; it is zero if
    /// nothing is pending. It is `None` while the sink accepts nothing, and while no rate is known.
    pub drain_time: Option<Duration>,
}

/// The severity of a problem; a greater one is more serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// Events are delivered.
    Healthy,
    /// Delivery is late, rate limited, or close to the queue's bounds; it usually recovers without
    /// an operator.
    Degraded,
    /// Nothing is delivered until an operator acts, or events are refused or exceed their
    /// deadline.
    Unhealthy,
}

/// The state that the recorder and the dispatcher publish for [`Health`].
#[derive(Debug)]
pub(crate) struct HealthTracker {
    created_at: Instant,
    state: Mutex<State>,
    /// The moment when the oldest pending event was fetched.
    oldest_pending: Moment,
    last_refusal: Moment,
    last_deadline_exceeded: Moment,
}

#[derive(Clone, Debug, Default)]
struct State {
    sink: SinkState,
    /// The actions of the catalog that the sink does not know, or the reason why the sink could
    /// not be asked, as a sentence.
    catalog_problem: Option<String>,
    /// Consecutive restarts of the dispatcher; reset when an event reaches its final state.
    restarts: u32,
    is_stopped: bool,
    /// Events per second that reached their final state.
    rate: Option<f64>,
}

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

/// The time after a refusal during which health is unhealthy.
const REFUSAL_WINDOW: Duration = Duration::from_secs(60);
/// The time after a durable event missed its deadline during which health is unhealthy.
const DEADLINE_EXCEEDED_WINDOW: Duration = Duration::from_secs(60);
/// The share of its bounds, in percent, from which the queue counts as nearly full.
const NEARLY_FULL: u64 = 80;

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

impl HealthTracker {
    pub(crate) fn new() -> Self {
        Self {
            created_at: Instant::now(),
            state: Mutex::default(),
            oldest_pending: Moment::default(),
            last_refusal: Moment::default(),
            last_deadline_exceeded: Moment::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_sink(&self, sink: SinkState) {
        self.state().sink = sink;
    }

    pub(crate) fn set_catalog(&self, problem: Option<String>) {
        self.state().catalog_problem = problem;
    }

    /// Sets the number of consecutive restarts of the dispatcher; 0 once it works again.
    pub(crate) fn set_restarts(&self, restarts: u32) {
        self.state().restarts = restarts;
    }

    /// Records that the dispatcher panicked too often and is not restarted again.
    pub(crate) fn mark_stopped(&self) {
        self.state().is_stopped = true;
    }

    /// Sets the events per second that reached their final state in the last seconds.
    pub(crate) fn set_rate(&self, rate: f64) {
        self.state().rate = Some(rate);
    }

    /// Sets the time that the oldest pending event has waited so far.
    pub(crate) fn set_oldest(&self, waited: Option<Duration>) {
        let fetched = waited.map(|waited| self.created_at.elapsed().saturating_sub(waited));
        self.oldest_pending.set(fetched);
    }

    pub(crate) fn record_refusal(&self) {
        self.last_refusal.set(Some(self.created_at.elapsed()));
    }

    pub(crate) fn record_deadline_exceeded(&self) {
        let now = self.created_at.elapsed();
        self.last_deadline_exceeded.set(Some(now));
    }

    fn time_since(&self, moment: &Moment) -> Option<Duration> {
        let moment = moment.get()?;
        Some(self.created_at.elapsed().saturating_sub(moment))
    }

    pub(crate) fn health(&self, load: Load) -> Health {
        let state = self.state().clone();
        let is_within =
            |moment, window| self.time_since(moment).is_some_and(|since| since < window);
        let recent = Recent {
            refusal: is_within(&self.last_refusal, REFUSAL_WINDOW),
            deadline_exceeded: is_within(&self.last_deadline_exceeded, DEADLINE_EXCEEDED_WINDOW),
        };
        let drain_time = drain_time(&state, &load);
        let (state, reason) = assess(&state, recent, &load);
        Health {
            state,
            reason,
            oldest_pending: self.time_since(&self.oldest_pending),
            drain_time,
        }
    }
}

/// A moment that is set and read without a lock: milliseconds after a common start, plus one; 0 is
/// no moment.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn set(&self, after_start: Option<Duration>) {
        let millis = after_start.map_or(0, |time| millis(time).saturating_add(1));
        self.0.store(millis, Ordering::Relaxed);
    }

    fn get(&self) -> Option<Duration> {
        let millis = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(millis))
    }
}

/// The events of the last minute that affect health.
#[derive(Clone, Copy)]
struct Recent {
    refusal: bool,
    deadline_exceeded: bool,
}

/// Returns the state and the reason of the first problem found; one that causes others is checked
/// before them.
fn assess(state: &State, recent: Recent, load: &Load) -> (HealthState, Option<String>) {
    use HealthState::{Degraded, Healthy, Unhealthy};
    let unhealthy = |reason: String| (Unhealthy, Some(reason));
    let degraded = |reason: String| (Degraded, Some(reason));
    let percent = |of: u64, bound: u64| of.saturating_mul(100) / bound.max(1);
    let full = percent(load.pending, load.capacity).max(percent(load.bytes, load.max_bytes));
    if state.is_stopped {
        return unhealthy(
            "the dispatcher panicked too often and was stopped; events are refused until the process is restarted"
                .to_owned(),
        );
    }
    if state.restarts > 0 {
        return unhealthy(format!(
            "the dispatcher panicked and was restarted, {} times without an event delivered in between",
            state.restarts
        ));
    }
    if let SinkState::Misconfigured(reason) = &state.sink {
        return unhealthy(format!(
            "delivery is paused until the configuration is fixed: {reason}"
        ));
    }
    if let Some(SpoolHealth {
        state: state @ (Unhealthy | Degraded),
        reason,
    }) = &load.spool
    {
        return (*state, reason.clone());
    }
    if recent.refusal {
        return unhealthy(format!(
            "events were refused within the last minute; the queue holds {} of {}",
            load.pending, load.capacity
        ));
    }
    if recent.deadline_exceeded {
        return unhealthy(
            "durable events were not on the disk in time within the last minute; the log has the reason"
                .to_owned(),
        );
    }
    if let SinkState::Down(reason) = &state.sink {
        return degraded(format!(
            "the sink is down, and is probed from time to time: {reason}"
        ));
    }
    if full >= NEARLY_FULL {
        return degraded(format!(
            "the queue is {full} % full; at 100 % events are refused"
        ));
    }
    if let SinkState::RateLimited(reason) = &state.sink {
        return degraded(format!("the sink asked for a pause: {reason}"));
    }
    match &state.catalog_problem {
        Some(problem) => degraded(problem.clone()),
        None => (Healthy, None),
    }
}

fn drain_time(state: &State, load: &Load) -> Option<Duration> {
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

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Load = Load {
        spool: None,
        spooled: 0,
        pending: 0,
        capacity: 100,
        bytes: 0,
        max_bytes: 1_000,
        rate_limit: Some(90.0),
    };

    #[test]
    fn problems_are_reported_in_a_fixed_order() {
        let tracker = HealthTracker::new();
        let reported = |load| {
            let health = tracker.health(load);
            (health.state, health.reason.unwrap_or_default())
        };
        assert_eq!(reported(IDLE), (HealthState::Healthy, String::new()));

        tracker.set_catalog(Some("2 actions are not registered".to_owned()));
        assert!(reported(IDLE).1.contains("not registered"));
        tracker.set_sink(SinkState::RateLimited("429".to_owned()));
        assert!(reported(IDLE).1.contains("asked for a pause: 429"));
        let full = Load {
            pending: 85,
            ..IDLE
        };
        assert_eq!(reported(full.clone()).0, HealthState::Degraded);
        assert!(reported(full.clone()).1.contains("85 % full"));
        let bytes = Load { bytes: 990, ..IDLE };
        assert!(reported(bytes).1.contains("99 % full"));
        tracker.set_sink(SinkState::Down("503".to_owned()));
        assert!(reported(full.clone()).1.contains("is down") && reported(full).1.contains("503"));
        tracker.record_refusal();
        assert_eq!(reported(IDLE).0, HealthState::Unhealthy);
        assert!(reported(IDLE).1.contains("refused"));
        tracker.set_sink(SinkState::Misconfigured("401".to_owned()));
        assert!(reported(IDLE).1.contains("configuration is fixed: 401"));
        tracker.set_restarts(2);
        assert!(reported(IDLE).1.contains("restarted, 2 times"));
        tracker.mark_stopped();
        assert!(reported(IDLE).1.contains("was stopped"));
    }

    #[test]
    fn drain_time_uses_the_lower_of_rate_limit_and_rate() {
        let tracker = HealthTracker::new();
        let load = Load {
            pending: 900,
            capacity: 10_000,
            ..IDLE
        };
        let drain = |load| tracker.health(load).drain_time;
        assert_eq!(drain(IDLE), Some(Duration::ZERO));
        assert_eq!(drain(load.clone()), Some(Duration::from_secs(10)));
        tracker.set_rate(45.0);
        assert_eq!(drain(load.clone()), Some(Duration::from_secs(20)));
        assert_eq!(
            drain(Load {
                rate_limit: None,
                ..load.clone()
            }),
            Some(Duration::from_secs(20))
        );
        tracker.set_sink(SinkState::Down("503".to_owned()));
        assert_eq!(drain(load), None);
    }

    #[test]
    fn age_of_the_oldest_event_is_reported_until_it_is_cleared() {
        let tracker = HealthTracker::new();
        tracker.set_oldest(Some(Duration::ZERO));
        assert!(tracker.health(IDLE).oldest_pending.is_some());
        tracker.set_oldest(None);
        assert_eq!(tracker.health(IDLE).oldest_pending, None);
    }
}
