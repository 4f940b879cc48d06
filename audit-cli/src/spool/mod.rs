//! The spool of a service, from outside.

mod change;
mod look;

use std::path::PathBuf;

use audit_core::{SpoolError, SpoolFile};

pub(crate) use change::{Letters, purge, redrive};
pub(crate) use look::{dead, status, verify};

use crate::failure::Failure;

/// Which file, and for whom the output is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) json: bool,
}

impl Place {
    fn open(&self) -> Result<SpoolFile, Failure> {
        SpoolFile::open(&self.file).map_err(|error| {
            failed(&error)
                .help("`--spool` names the file that the service gives to `Spool::open`, and you have to be allowed to read it")
        })
    }
}

fn failed(error: &SpoolError) -> Failure {
    Failure::unavailable(format!("failed to {error}")).caused_by_source_of(error)
}

fn letters(count: u64) -> String {
    match count {
        1 => "1 dead letter".to_owned(),
        more => format!("{more} dead letters"),
    }
}
