//! `cargo xtask bench spool`: the cost of a durable event, and of the start with a large backlog.

mod command;
#[cfg(feature = "bench")]
mod measure;

pub(crate) use command::Spool;
pub(super) use command::run;
