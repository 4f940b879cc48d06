//! `cargo xtask bench call`: the cost of the attribute for a call, and the size of the future.

mod command;
#[cfg(feature = "bench")]
mod measure;

pub(crate) use command::Call;
pub(super) use command::run;
