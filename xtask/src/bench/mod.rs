//! `cargo xtask bench`: measurements, in a release build.

#[cfg(feature = "bench")]
mod call;
mod command;
mod compile;
mod delivery;
mod instructions;
#[cfg(feature = "bench")]
mod latency;
#[cfg(feature = "bench")]
mod layer;
#[cfg(feature = "bench")]
mod server;
#[cfg(feature = "bench")]
mod servers;
#[cfg(feature = "bench")]
mod side;
#[cfg(feature = "bench")]
mod spool;
#[cfg(feature = "bench")]
mod stall;

pub(crate) use command::{Bench, run};
