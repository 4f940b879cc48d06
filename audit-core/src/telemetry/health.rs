//! The health of delivery, for readiness probes and dashboards.

use std::time::Duration;

/// The health of delivery, see [`Recorder::health`](crate::Recorder::health).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The state of the most severe problem.
    pub state: HealthState,
    /// The reason of the most severe problem, as a sentence for operators; `None` if there is none.
    ///
    /// It contains no key and no content of an event.
    pub reason: Option<String>,
    /// All problems, the most severe first; of equal ones, a cause before its consequences.
    pub problems: Vec<HealthProblem>,
    /// The age of the oldest event that is not delivered, in memory or on the spool; `None` if
    /// there is none.
    ///
    /// For an event on the spool it is the time since it was recorded, also by an earlier process.
    /// The spool is read every ten seconds.
    pub oldest_pending: Option<Duration>,
    /// The estimated time to deliver all pending and spooled events.
    ///
    /// The estimate uses the rate of the last seconds, at most the sink's rate limit; it is zero if
    /// nothing is pending. It is `None` while the sink accepts nothing, and while no rate is known.
    pub drain_time: Option<Duration>,
}

/// A problem of delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthProblem {
    /// The severity; never [`HealthState::Healthy`].
    pub state: HealthState,
    /// The reason, as a sentence for operators, without any content of an event.
    pub reason: String,
}

/// The severity of a problem; a greater one is more serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// Events are delivered.
    Healthy,
    /// Delivery is late, rate limited, or close to the queue's bounds, or the sink rejected events
    /// within the last minute; an operator should look.
    Degraded,
    /// Nothing is delivered until an operator acts, or events are refused, exceed their deadline or
    /// are destroyed.
    Unhealthy,
}

impl HealthProblem {
    pub(crate) fn degraded(reason: impl Into<String>) -> Self {
        Self {
            state: HealthState::Degraded,
            reason: reason.into(),
        }
    }

    pub(crate) fn unhealthy(reason: impl Into<String>) -> Self {
        Self {
            state: HealthState::Unhealthy,
            reason: reason.into(),
        }
    }
}
