//! The subcommands of `audited schema`, which compare catalog, lock and service.

mod compare;
mod files;
mod json;
mod push;
mod remote;
mod text;

use std::path::PathBuf;

pub(crate) use compare::{check, diff};
pub(crate) use push::{Consent, push};

/// The options that all subcommands have.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) environment: String,
    pub(crate) json: bool,
}
