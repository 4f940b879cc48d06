//! The subcommands of `audited spool`, which work on the file of a service.

mod change;
mod inspect;

use std::path::PathBuf;

use audit_core::{SpoolError, SpoolFile};

pub(crate) use change::{Selection, purge, redrive};
pub(crate) use inspect::{dead, status, verify};

use crate::failure::Failure;

/// The options that all subcommands have.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) json: bool,
}

impl Options {
    /// Opens the file.
    fn open(&self) -> Result<SpoolFile, Failure> {
        SpoolFile::open(&self.file).map_err(|error| {
            failure(&error).help(
                "name the file that the service passes to `Spool::open`; it has to be readable",
            )
        })
    }
}

fn failure(error: &SpoolError) -> Failure {
    Failure::unavailable(format!("failed to {error}")).caused_by_source_of(error)
}

/// Formats a number of dead letters.
fn dead_letters(count: u64) -> String {
    match count {
        1 => "1 dead letter".to_owned(),
        more => format!("{more} dead letters"),
    }
}
