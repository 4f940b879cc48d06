//! The one task that owns delivery: it fetches events from the queue, keeps several attempts in flight, and decides
//! after each what comes next. It sees no HTTP.

mod decide;
mod fence;
mod run;

pub use fence::Report;
pub(crate) use run::{Command, Dispatcher};
