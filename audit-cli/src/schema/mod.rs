//! Schemas as code: catalog, lock and service side by side.

mod compare;
mod files;
mod json;
mod push;
mod remote;
mod text;

use std::path::PathBuf;

pub(crate) use compare::{check, diff};
pub(crate) use push::{Consent, push};

/// What is compared, and for whom the output is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) environment: String,
    pub(crate) json: bool,
}
