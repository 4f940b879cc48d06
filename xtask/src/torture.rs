//! `cargo xtask torture`: injects faults into processes that record durable events, and compares
//! their reports with the events that arrived.

use crate::error::Error;
use crate::process::{cargo, run};
use crate::programs::C_COMPILER;

#[derive(Debug, clap::Args)]
pub(crate) struct Torture {
    /// The number of rounds; 14 rounds have each kind of fault
    #[arg(long, value_name = "N", default_value_t = 28)]
    rounds: u32,

    /// The seed of the first round, to repeat it; each later round adds one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// Builds the program `audit-torture`, and runs it.
pub(crate) fn torture(options: &Torture) -> Result<(), Error> {
    C_COMPILER.ensure()?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "audit-torture", "--"]);
    command.args(["--rounds", &options.rounds.to_string()]);
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    run(&mut command)
}
