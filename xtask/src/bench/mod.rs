//! `cargo xtask bench`: measurements, in a release build.
//!
//! Each measurement has a folder or a file of its own, with its arguments. Those that link the
//! crates are built with the feature `bench` alone, so that `cargo xtask` itself is built in
//! seconds.

mod call;
mod command;
mod compile;
mod delivery;
mod instructions;
#[cfg(feature = "bench")]
mod latency;
mod layer;
#[cfg(feature = "bench")]
mod null_sink;
mod release;
mod server;
mod spool;
mod stall;

pub(crate) use command::{Bench, run};
