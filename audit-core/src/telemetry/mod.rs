//! Counts, health, metrics and rate-limited logs of a recorder.

mod assess;
mod health;
mod health_tracker;
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod observer;
mod stats;
mod trace;
mod unrecorded;

pub(crate) use self::assess::{AgeLimits, Load, SinkState, SpoolHealth};
pub use self::health::{Health, HealthProblem, HealthState};
pub(crate) use self::health_tracker::{HealthClock, HealthTracker};
pub(crate) use self::log::LogLimit;
pub(crate) use self::observer::Observer;
pub(crate) use self::stats::Counters;
pub use self::stats::Stats;
pub use self::trace::AuditTrace;
pub(crate) use self::unrecorded::count_unrecorded;
pub use self::unrecorded::unrecorded;
