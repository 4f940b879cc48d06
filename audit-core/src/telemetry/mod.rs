//! Counts, health, metrics and rate-limited logs of a recorder.

mod health;
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod observer;
mod stats;
mod trace;
mod unrecorded;

pub use self::health::{Health, HealthState};
pub(crate) use self::health::{HealthTracker, Load, SinkState, SpoolHealth};
pub(crate) use self::log::LogLimit;
pub(crate) use self::observer::Observer;
pub(crate) use self::stats::Counters;
pub use self::stats::Stats;
pub use self::trace::AuditTrace;
pub(crate) use self::unrecorded::count_unrecorded;
pub use self::unrecorded::unrecorded;
