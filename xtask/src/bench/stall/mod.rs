//! `cargo xtask bench stall`: the latency of requests while the audit service never answers.

mod command;
mod load;
#[cfg(feature = "bench")]
mod measure;
#[cfg(feature = "bench")]
mod servers;
#[cfg(feature = "bench")]
mod side;

pub(crate) use command::Stall;
pub(super) use command::run;
