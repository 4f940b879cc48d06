//! The `audited` command: what a developer runs beside a service that writes audit logs.
//!
//! Exit codes: 0 when it did what was asked, 1 when it could not, 2 when it was asked in a way it
//! does not understand. The subcommands of `schema` and `spool` keep 1 for an answer, drift or
//! damage, and say 3 when a service or a file did not do its part.

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
