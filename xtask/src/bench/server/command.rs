//! The arguments, and the choice of the process that measures.

use std::num::NonZeroU32;

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
pub(crate) struct Server {
    /// The number of events that are stored
    #[arg(long, default_value = "1000000")]
    events: NonZeroU32,
    /// Requests for each kind of page
    #[arg(long, default_value = "300")]
    requests: NonZeroU32,
    /// Measure in this process, in its build profile
    #[arg(long, hide = true)]
    here: bool,
}

/// Measures in a release build, or with `--here` in this process.
pub(in crate::bench) fn run(options: &Server) -> Result<(), Error> {
    if !options.here {
        return in_release(&[
            "server",
            &format!("--events={}", options.events),
            &format!("--requests={}", options.requests),
        ]);
    }
    #[cfg(feature = "bench")]
    {
        here(|| measure(options.events.get(), options.requests.get()))
    }
    #[cfg(not(feature = "bench"))]
    {
        Err(not_built())
    }
}
