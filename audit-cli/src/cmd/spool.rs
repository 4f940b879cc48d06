//! `audited spool`.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use crate::failure::Failure;
use crate::spool::{self, Letters, Place};

/// What every subcommand says at the end of its help.
const AFTER: &str = "\
Exit codes: 0 done, 1 damage was found (or a purge was declined), 2 a mistake in the command, 3 the file did not do its part.";

/// Look at a service's events on disk, also while it runs, and settle its dead letters
#[derive(Debug, Args)]
pub(crate) struct SpoolArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what waits in the file, and whether a service has it open
    #[command(after_help = AFTER)]
    Status(PlaceArgs),
    /// List the events that were refused for good, with the reason and without their content
    #[command(after_help = AFTER)]
    Dead(PlaceArgs),
    /// Send dead letters again: by the service that has the file open, or when it starts
    #[command(after_help = AFTER)]
    Redrive(RedriveArgs),
    /// Forget dead letters for good
    #[command(after_help = AFTER)]
    Purge(PurgeArgs),
    /// Read all of the file, and say what is wrong with it
    #[command(after_help = AFTER)]
    Verify(PlaceArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// File that the service keeps its events in
    #[arg(long, value_name = "FILE")]
    spool: PathBuf,

    /// Print JSON instead of text: an object, or one in each line for `dead`
    #[arg(long)]
    json: bool,
}

impl From<PlaceArgs> for Place {
    fn from(args: PlaceArgs) -> Self {
        Self {
            file: args.spool,
            json: args.json,
        }
    }
}

#[derive(Debug, Args)]
struct LettersArgs {
    /// Rows of the dead letters, as `audited spool dead` shows them
    #[arg(value_name = "ROW", required_unless_present = "all", value_parser = value_parser!(i64).range(1..))]
    rows: Vec<i64>,

    /// All dead letters
    #[arg(long, conflicts_with = "rows")]
    all: bool,
}

impl From<LettersArgs> for Letters {
    fn from(args: LettersArgs) -> Self {
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
    place: PlaceArgs,

    #[command(flatten)]
    letters: LettersArgs,
}

#[derive(Debug, Args)]
struct PurgeArgs {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    letters: LettersArgs,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(args: SpoolArgs) -> Result<(), Failure> {
    match args.command {
        Command::Status(args) => spool::status(&args.into()),
        Command::Dead(args) => spool::dead(&args.into()),
        Command::Redrive(args) => spool::redrive(&args.place.into(), &args.letters.into()),
        Command::Purge(args) => spool::purge(&args.place.into(), &args.letters.into(), args.yes),
        Command::Verify(args) => spool::verify(&args.into()),
    }
}
