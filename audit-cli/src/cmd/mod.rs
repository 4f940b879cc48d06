//! The command line: one file for each subcommand.

mod cli;
mod schema;
mod serve;

pub(crate) use cli::{Cli, run};
