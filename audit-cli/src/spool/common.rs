//! The options and texts that all subcommands of `audited spool` share.

use std::path::PathBuf;

use audit_core::{SpoolError, SpoolFile};

use crate::failure::Failure;

/// The options that all subcommands have.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) json: bool,
}

impl Options {
    /// Opens the file.
    pub(super) fn open(&self) -> Result<SpoolFile, Failure> {
        SpoolFile::open(&self.file).map_err(|error| {
            failure(&error).help(
                "name the file that the service passes to `Spool::open`; it has to be readable",
            )
        })
    }
}

/// Converts an error of the spool.
pub(super) fn failure(error: &SpoolError) -> Failure {
    Failure::unavailable(format!("failed to {error}")).caused_by_source_of(error)
}

/// Formats a number of dead letters.
pub(super) fn dead_letters(count: u64) -> String {
    match count {
        1 => "1 dead letter".to_owned(),
        more => format!("{more} dead letters"),
    }
}
