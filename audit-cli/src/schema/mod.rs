//! The subcommands of `audited schema`, which compare catalog, lock and service.

mod compare;
mod files;
mod json;
mod options;
mod push;
mod remote;
mod text;

pub(crate) use compare::{check, diff};
pub(crate) use options::Options;
pub(crate) use push::{Consent, push};
