//! What can be measured, and the step from the program that cargo runs to a release build of it.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::process::{cargo, run as run_to_end};

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// What a request costs while the audit service answers, and while it takes connections and never answers
    Stall(Stall),
}

#[derive(Debug, Args)]
pub(crate) struct Stall {
    /// How many events the recorder holds
    #[arg(long, default_value = "512")]
    pub(crate) capacity: NonZeroU32,
    /// Requests to each of the two, in multiples of the capacity
    #[arg(long, default_value = "10")]
    pub(crate) rounds: NonZeroU32,
    /// How many clients send requests at once, each over a connection of its own
    #[arg(long, default_value = "4")]
    pub(crate) clients: NonZeroU32,
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    pub(crate) here: bool,
}

pub(crate) fn run(bench: &Bench) -> Result<(), Error> {
    let Bench::Stall(stall) = bench;
    if stall.here {
        return measure(stall);
    }
    let mut command = cargo();
    command
        .args([
            "run",
            "--release",
            "--package",
            "xtask",
            "--features",
            "bench",
            "--",
        ])
        .args(["bench", "stall", "--here"])
        .arg(format!("--capacity={}", stall.capacity))
        .arg(format!("--rounds={}", stall.rounds))
        .arg(format!("--clients={}", stall.clients))
        // The service that is measured lives on this machine, and no proxy leads to it.
        .env("NO_PROXY", "127.0.0.1");
    run_to_end(&mut command)
}

#[cfg(feature = "bench")]
fn measure(stall: &Stall) -> Result<(), Error> {
    if cfg!(debug_assertions) {
        eprintln!(
            "warning: this is a debug build; run `cargo xtask bench stall` for figures that mean something"
        );
    }
    super::stall::run(stall)
}

#[cfg(not(feature = "bench"))]
fn measure(_: &Stall) -> Result<(), Error> {
    Err(Error::Finding(
        "built without the feature `bench`; run `cargo xtask bench stall` without --here"
            .to_owned(),
    ))
}
