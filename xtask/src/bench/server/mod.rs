//! `cargo xtask bench server`: the cost of pages and of an export for the local server.

mod command;
#[cfg(feature = "bench")]
mod measure;

pub(crate) use command::Server;
pub(super) use command::run;
