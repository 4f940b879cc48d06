//! The arguments of `audited spool`.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use crate::failure::Failure;
use crate::spool::{self, Options, Selection};

/// The end of the help of every subcommand.
const AFTER: &str = "\
Exit codes: 0 success, 1 the file is corrupt (or the purge was declined), 2 invalid arguments, 3 the file could not be used.";

/// Inspect the spool of a service, also while it runs, and redrive or delete dead letters
#[derive(Debug, Args)]
pub(crate) struct SpoolArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show pending events and dead letters, and whether a service uses the file
    #[command(after_help = AFTER)]
    Status(CommonArgs),
    /// List dead letters with the reason of each, without the content of the events
    #[command(after_help = AFTER)]
    Dead(CommonArgs),
    /// Send dead letters again, by the running service or at its next start
    #[command(after_help = AFTER)]
    Redrive(RedriveArgs),
    /// Delete dead letters permanently
    #[command(after_help = AFTER)]
    Purge(PurgeArgs),
    /// Read the whole file and report corruption
    #[command(after_help = AFTER)]
    Verify(CommonArgs),
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Spool file of the service
    #[arg(long, value_name = "FILE")]
    spool: PathBuf,

    /// Print JSON instead of text: one object, or one per line for `dead`
    #[arg(long)]
    json: bool,
}

impl From<CommonArgs> for Options {
    fn from(args: CommonArgs) -> Self {
        Self {
            file: args.spool,
            json: args.json,
        }
    }
}

#[derive(Debug, Args)]
struct SelectionArgs {
    /// Rows of dead letters, as `audited spool dead` prints them
    #[arg(value_name = "ROW", required_unless_present = "all", value_parser = value_parser!(i64).range(1..))]
    rows: Vec<i64>,

    /// Select all dead letters
    #[arg(long, conflicts_with = "rows")]
    all: bool,
}

impl From<SelectionArgs> for Selection {
    fn from(args: SelectionArgs) -> Self {
        if args.all {
            Self::All
        } else {
            Self::Rows(args.rows)
        }
    }
}

#[derive(Debug, Args)]
struct RedriveArgs {
    #[command(flatten)]
    common: CommonArgs,

    #[command(flatten)]
    selection: SelectionArgs,
}

#[derive(Debug, Args)]
struct PurgeArgs {
    #[command(flatten)]
    common: CommonArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(args: SpoolArgs) -> Result<(), Failure> {
    match args.command {
        Command::Status(args) => spool::status(&args.into()),
        Command::Dead(args) => spool::dead(&args.into()),
        Command::Redrive(args) => spool::redrive(&args.common.into(), &args.selection.into()),
        Command::Purge(args) => spool::purge(&args.common.into(), &args.selection.into(), args.yes),
        Command::Verify(args) => spool::verify(&args.into()),
    }
}
