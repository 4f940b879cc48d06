//! `cargo xtask torture`: processes that record durable events are hurt, and what each says is
//! compared with what arrived.

use crate::error::Error;
use crate::process::{cargo, run};
use crate::programs::C_COMPILER;

#[derive(Debug, clap::Args)]
pub(crate) struct Torture {
    /// How many rounds; each kind of violence has its turn in ten
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: u32,

    /// The seed of the first round, to repeat one; the others count up from it
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// Builds the program that does it, and runs it.
pub(crate) fn torture(wanted: &Torture) -> Result<(), Error> {
    C_COMPILER.ensure()?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "audit-torture", "--"]);
    command.args(["--rounds", &wanted.rounds.to_string()]);
    if let Some(seed) = wanted.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    run(&mut command)
}
