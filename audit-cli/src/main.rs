//! The `audited` command: what a developer runs beside a service that writes audit logs.
//!
//! Exit codes: 0 when it did what was asked, 1 when it could not, 2 when it was asked in a way it does not understand.

mod cmd;
mod failure;
mod serve;
mod signal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cmd::run(cmd::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
