//! The arguments, and the choice of the process that measures.

use clap::Args;

#[cfg(feature = "bench")]
use super::measure::measure;
#[cfg(feature = "bench")]
use crate::bench::release::here;
use crate::bench::release::in_release;
#[cfg(not(feature = "bench"))]
use crate::bench::release::not_built;
use crate::error::Error;

#[derive(Debug, Args)]
pub(crate) struct Layer {
    /// Measure in this process, in its build profile
    #[arg(long, hide = true)]
    here: bool,
}

/// Measures in a release build, or with `--here` in this process.
pub(in crate::bench) fn run(options: &Layer) -> Result<(), Error> {
    if !options.here {
        return in_release(&["layer"]);
    }
    #[cfg(feature = "bench")]
    {
        here(measure)
    }
    #[cfg(not(feature = "bench"))]
    {
        Err(not_built())
    }
}
