//! Faults on demand: failures that a client has to survive.

mod fault;
mod list;

pub use fault::Fault;
pub(crate) use fault::{Effect, ExportFails};
pub(crate) use list::{FaultList, MAX_FAULTS};
