//! The options that all subcommands of `audited schema` have.

use std::path::PathBuf;

/// The catalog, the environment and the output format.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) environment: String,
    pub(crate) json: bool,
}
