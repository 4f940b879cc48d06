//! The command `audited`: tools for developers and operators of a service with an audit log.
//!
//! Exit codes of `serve`: 0 success, 1 failure, 2 invalid arguments. The subcommands of `schema`
//! and `spool` return 1 for a negative result (differences, corruption), and 3 if a service or a
//! file failed.

mod cmd;
mod failure;
mod schema;
mod serve;
mod signal;
mod spool;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cmd::run(cmd::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
