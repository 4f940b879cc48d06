//! Faults on demand: failures that a client has to survive.

#[expect(
    clippy::module_inception,
    reason = "the main type of the folder is in the file of its name"
)]
mod fault;
mod list;

pub use fault::Fault;
pub(crate) use fault::{Effect, ExportFails};
pub(crate) use list::{FaultList, MAX_FAULTS};
