//! The step from the program that cargo runs to a release build of it.

use crate::error::Error;
use crate::process::{cargo, run as run_to_end};

/// Runs a measurement in a release build of this program.
pub(super) fn in_release(arguments: &[&str]) -> Result<(), Error> {
    let mut command = cargo();
    command.args([
        "run",
        "--release",
        "--package",
        "xtask",
        "--features",
        "bench",
        "--",
        "bench",
    ]);
    command.args(arguments).arg("--here");
    // All servers are on this machine, and no proxy leads to it.
    command.env("NO_PROXY", "127.0.0.1");
    run_to_end(&mut command)
}

/// Runs a measurement in this process, with a warning if that is a debug build.
#[cfg(feature = "bench")]
pub(super) fn here(measure: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    if cfg!(debug_assertions) {
        eprintln!(
            "warning: this is a debug build; without --here the figures are those of a release build"
        );
    }
    measure()
}

/// Returns the error of `--here` in a program that was built without the measurements.
#[cfg(not(feature = "bench"))]
pub(super) fn not_built() -> Error {
    Error::Finding("built without the feature `bench`; leave --here out".to_owned())
}
