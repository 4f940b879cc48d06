//! The subcommands of `audited spool`, which work on the file of a service.

mod change;
mod common;
mod inspect;

pub(crate) use change::{Selection, purge, redrive};
pub(crate) use common::Options;
pub(crate) use inspect::{dead, status, verify};
