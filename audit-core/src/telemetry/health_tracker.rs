//! The tracker of health: the state that the recorder and the dispatcher publish.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::assess::{self, AgeLimits, Load, Recent, SinkState, State};
use super::health::{Health, HealthState};

/// The time after an incident during which it affects health.
const INCIDENT_WINDOW: Duration = Duration::from_secs(60);

/// The clock of a tracker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HealthClock {
    /// The clock of the machine.
    Real,
    /// The clock of the runtime in which the caller runs, which a test may pause.
    Runtime,
}

impl HealthClock {
    fn now(self) -> Instant {
        match self {
            Self::Real => Instant::from_std(std::time::Instant::now()),
            Self::Runtime => Instant::now(),
        }
    }
}

/// The state that the recorder and the dispatcher publish for [`Health`].
#[derive(Debug)]
pub(crate) struct HealthTracker {
    clock: HealthClock,
    limits: AgeLimits,
    created_at: Instant,
    state: Mutex<State>,
    /// The time at which the oldest pending event was recorded, or fetched from the queue.
    oldest_pending: Moment,
    last_refusal: Moment,
    last_deadline_exceeded: Moment,
    last_dead_letter: Moment,
    last_dropped_dead_letter: Moment,
    /// The time at which the dispatcher was last resumed, unless it has paused since.
    busy_since: Moment,
}

impl HealthTracker {
    pub(crate) fn new(clock: HealthClock, limits: AgeLimits) -> Self {
        Self {
            clock,
            limits,
            created_at: clock.now(),
            state: Mutex::default(),
            oldest_pending: Moment::default(),
            last_refusal: Moment::default(),
            last_deadline_exceeded: Moment::default(),
            last_dead_letter: Moment::default(),
            last_dropped_dead_letter: Moment::default(),
            busy_since: Moment::default(),
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

    /// Sets the time since which the oldest pending event waits.
    pub(crate) fn set_oldest(&self, since: Option<Instant>) {
        let age = since.map(|since| self.clock.now().saturating_duration_since(since));
        self.set_oldest_age(age);
    }

    /// Sets the age of the oldest pending event, which may be more than that of the process.
    pub(crate) fn set_oldest_age(&self, age: Option<Duration>) {
        let moment = age.map(|age| self.now_millis().saturating_sub(millis(age)));
        self.oldest_pending.set(moment);
    }

    pub(crate) fn record_refusal(&self) {
        self.last_refusal.set(Some(self.now_millis()));
    }

    pub(crate) fn record_deadline_exceeded(&self) {
        self.last_deadline_exceeded.set(Some(self.now_millis()));
    }

    pub(crate) fn record_dead_letter(&self) {
        self.last_dead_letter.set(Some(self.now_millis()));
    }

    pub(crate) fn record_dropped_dead_letter(&self) {
        self.last_dropped_dead_letter.set(Some(self.now_millis()));
    }

    /// Records that the dispatcher is resumed, or pauses.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        self.busy_since.set(is_busy.then(|| self.now_millis()));
    }

    fn now_millis(&self) -> i64 {
        millis(self.clock.now().saturating_duration_since(self.created_at))
    }

    fn time_since(&self, moment: &Moment) -> Option<Duration> {
        let since = self.now_millis().saturating_sub(moment.get()?);
        Some(Duration::from_millis(u64::try_from(since).unwrap_or(0)))
    }

    pub(crate) fn health(&self, load: Load) -> Health {
        let state = self.state().clone();
        let is_recent = |moment| {
            self.time_since(moment)
                .is_some_and(|since| since < INCIDENT_WINDOW)
        };
        let oldest = self.time_since(&self.oldest_pending);
        let recent = Recent {
            refusal: is_recent(&self.last_refusal),
            deadline_exceeded: is_recent(&self.last_deadline_exceeded),
            dead_letter: is_recent(&self.last_dead_letter),
            dropped_dead_letter: is_recent(&self.last_dropped_dead_letter),
            oldest,
            busy: self.time_since(&self.busy_since),
        };
        let problems = assess::problems(&state, recent, &load, self.limits);
        Health {
            state: problems
                .first()
                .map_or(HealthState::Healthy, |worst| worst.state),
            reason: problems.first().map(|worst| worst.reason.clone()),
            problems,
            oldest_pending: oldest,
            drain_time: assess::drain_time(&state, &load),
        }
    }
}

/// A moment that is set and read without a lock, in milliseconds after the tracker's creation.
#[derive(Debug)]
struct Moment(AtomicI64);

/// The value of no moment.
const NONE: i64 = i64::MIN;

impl Default for Moment {
    fn default() -> Self {
        Self(AtomicI64::new(NONE))
    }
}

impl Moment {
    fn set(&self, millis: Option<i64>) {
        self.0.store(millis.unwrap_or(NONE), Ordering::Relaxed);
    }

    fn get(&self) -> Option<i64> {
        let millis = self.0.load(Ordering::Relaxed);
        (millis != NONE).then_some(millis)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
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
        rate_limit: None,
    };

    fn tracker() -> HealthTracker {
        let limits = AgeLimits {
            late: Duration::from_secs(60),
            overdue: Duration::from_secs(3_600),
        };
        HealthTracker::new(HealthClock::Runtime, limits)
    }

    #[tokio::test(start_paused = true)]
    async fn an_incident_affects_health_for_a_minute() {
        let record: [fn(&HealthTracker); 4] = [
            HealthTracker::record_refusal,
            HealthTracker::record_deadline_exceeded,
            HealthTracker::record_dead_letter,
            HealthTracker::record_dropped_dead_letter,
        ];
        for record in record {
            let tracker = tracker();
            assert_eq!(tracker.health(IDLE).state, HealthState::Healthy);
            record(&tracker);
            tokio::time::advance(Duration::from_secs(59)).await;
            let health = tracker.health(IDLE);
            assert_ne!(health.state, HealthState::Healthy);
            assert_eq!(health.reason, Some(health.problems[0].reason.clone()));
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(tracker.health(IDLE).problems, []);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_of_the_oldest_event_grows_until_it_is_cleared() {
        let tracker = tracker();
        let since = Instant::now();
        tracker.set_oldest(Some(since));
        tokio::time::advance(Duration::from_secs(90)).await;
        let oldest = || tracker.health(IDLE).oldest_pending;
        assert_eq!(oldest(), Some(Duration::from_secs(90)));
        // An event of an earlier process is older than this one.
        tracker.set_oldest_age(Some(Duration::from_secs(86_400)));
        assert_eq!(oldest(), Some(Duration::from_secs(86_400)));
        tracker.set_oldest(None);
        assert_eq!(oldest(), None);
    }
}
