//! Delivery: the queue, the dispatcher that empties it, and what an attempt's result leads to.
//!
//! The dispatcher is one task on a thread of its own. It fetches events from the queue, keeps
//! several attempts in flight, and decides after each what comes next. It sees no HTTP.

mod attribution;
mod circuit_breaker;
mod coalesce;
mod dead_letter;
mod decide;
mod disk;
mod dispatcher;
mod durable_appends;
mod durable_wait;
mod flush_barrier;
mod gap;
mod loader;
mod parking;
mod pending_event;
mod pipeline;
mod queue;
mod ready_queue;
mod retry_budget;
mod supervise;
mod sync;
#[cfg(test)]
mod tests;
mod timer;

pub(crate) use self::coalesce::Coalescer;
pub use self::dead_letter::DeadLetter;
pub(crate) use self::dead_letter::DeadLetters;
pub(crate) use self::disk::Spool;
#[cfg(feature = "spool")]
pub(crate) use self::disk::{Guarantee, PendingAppend};
pub(crate) use self::dispatcher::{Command, Dispatcher, Setup};
pub(crate) use self::durable_appends::DurableAppends;
#[cfg(feature = "spool")]
pub(crate) use self::durable_appends::Epoch;
pub use self::durable_wait::DurableWait;
pub use self::flush_barrier::Report;
pub(crate) use self::gap::Gaps;
pub(crate) use self::pipeline::{
    DispatcherThread, DurableRules, EventDefaults, GUARD_DEADLINE, Hook, LogLimits, Pipeline,
};
pub(crate) use self::queue::{Queue, Refusal};
pub(crate) use self::supervise::start;
pub(crate) use self::timer::Timer;
