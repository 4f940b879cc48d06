//! The handover of one event by its caller: ours, and the usual alternatives.

mod all;
mod allocations;
mod channel;
mod contender;
mod json;
mod official;
mod ours;
mod rounds;
mod telemetry;

pub use all::contenders;
pub use allocations::allocations;
pub use contender::{Consumer, Contender};
pub use official::official_event;
pub use rounds::{Pause, burst, live, sparse};
