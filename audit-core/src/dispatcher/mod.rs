//! The one task that owns delivery: it fetches events from the queue, keeps several attempts in
//! flight, and decides after each what comes next. It sees no HTTP.

mod attempt;
mod backlog;
mod budget;
mod coalesce;
mod decide;
mod fence;
mod lane;
mod loader;
mod run;
mod supervise;

pub(crate) use coalesce::Coalescer;
pub use fence::Report;
pub(crate) use run::{Command, Dispatcher};
pub(crate) use supervise::start;
