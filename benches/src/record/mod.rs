//! What it costs the caller to hand one event over: ours, and the ways that are usual.

mod allocations;
mod channel;
mod contender;
mod json;
mod official;
mod ours;
mod rounds;
mod telemetry;

pub use allocations::allocations;
pub use contender::{Consumer, Contender, contenders};
pub use official::official_event;
pub use rounds::{Pause, burst, live, sparse};
