//! The arguments, and the choice of the process that measures.

use clap::Args;

use super::load::Load;
#[cfg(feature = "bench")]
use super::measure::measure;
#[cfg(feature = "bench")]
use crate::bench::release::here;
use crate::bench::release::in_release;
#[cfg(not(feature = "bench"))]
use crate::bench::release::not_built;
use crate::error::Error;

#[derive(Debug, Args)]
pub(crate) struct Stall {
    #[command(flatten)]
    load: Load,
    /// Measure in this process, in its build profile
    #[arg(long, hide = true)]
    here: bool,
}

/// Measures in a release build, or with `--here` in this process.
pub(in crate::bench) fn run(options: &Stall) -> Result<(), Error> {
    if !options.here {
        return in_release(&[
            "stall",
            &format!("--capacity={}", options.load.capacity),
            &format!("--rounds={}", options.load.rounds),
            &format!("--clients={}", options.load.clients),
        ]);
    }
    #[cfg(feature = "bench")]
    {
        here(|| measure(&options.load))
    }
    #[cfg(not(feature = "bench"))]
    {
        Err(not_built())
    }
}
