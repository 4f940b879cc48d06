//! Faults on demand: what a client has to survive, when the test wants it.

mod inject;
mod list;
mod rule;

pub(crate) use inject::{ExportFails, inject};
pub(crate) use list::{Faults, MAX_FAULTS};
pub(crate) use rule::Effect;
pub use rule::Fault;
