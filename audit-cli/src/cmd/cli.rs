//! The subcommands of `audited`.

use clap::{Parser, Subcommand};

use super::schema::{self, SchemaArgs};
use super::serve::{self, ServeArgs};
use super::spool::{self, SpoolArgs};
use crate::failure::Failure;

/// Tools for audit logs: a local server, schemas and spools
#[derive(Debug, Parser)]
#[command(name = "audited", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(ServeArgs),
    Schema(SchemaArgs),
    Spool(SpoolArgs),
}

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Spool(args) => spool::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_valid() {
        Cli::command().debug_assert();
    }
}
