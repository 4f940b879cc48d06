//! The command line, with one file for each subcommand.

mod cli;
mod schema;
mod serve;
mod spool;

pub(crate) use cli::{Cli, run};
