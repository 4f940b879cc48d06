//! The arguments, and the choice of the process that measures.

use std::num::NonZeroU32;
use std::path::PathBuf;

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
pub(crate) struct Spool {
    /// The number of events in the backlog
    #[arg(long, default_value = "1000000")]
    backlog: NonZeroU32,
    /// The folder for the files, on the disk that is measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Measure in this process, in its build profile
    #[arg(long, hide = true)]
    here: bool,
}

/// Measures in a release build, or with `--here` in this process.
pub(in crate::bench) fn run(options: &Spool) -> Result<(), Error> {
    if !options.here {
        return in_release(&[
            "spool",
            &format!("--backlog={}", options.backlog),
            &format!("--folder={}", options.folder.display()),
        ]);
    }
    #[cfg(feature = "bench")]
    {
        here(|| measure(&options.folder, options.backlog.get()))
    }
    #[cfg(not(feature = "bench"))]
    {
        Err(not_built())
    }
}
