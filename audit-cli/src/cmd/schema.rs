//! `audited schema`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::schema::{self, Consent, Place};

/// What every subcommand says at the end of its help.
const AFTER: &str = "\
The catalog is the one named by --catalog, else by AUDIT_CATALOG, else audit.toml here, beside the nearest Cargo.toml, or \
in a folder above it up to the workspace root. The lock is audit.lock beside it. WORKOS_API_KEY is the key of the \
environment, and WORKOS_BASE_URL the service, unless it is WorkOS itself.

Exit codes: 0 done, 1 drift (or a push that was declined), 2 a mistake in the command, the settings or the catalog, \
3 the service or a file did not do its part.";

/// Compare the catalog with the service, and register what is missing
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show each action of the catalog beside what the service has
    #[command(after_help = AFTER)]
    Diff(DiffArgs),
    /// Register what is new or changed, and write audit.lock
    #[command(after_help = AFTER)]
    Push(PushArgs),
    /// Fail if catalog, audit.lock and service do not agree: for CI
    #[command(after_help = AFTER)]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// Catalog to read; audit.lock stands beside it
    #[arg(long, value_name = "PATH")]
    catalog: Option<PathBuf>,

    /// Environment of audit.lock that the API key belongs to
    #[arg(long, value_name = "NAME", default_value = "production", value_parser = NonEmptyStringValueParser::new())]
    environment: String,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl From<PlaceArgs> for Place {
    fn from(args: PlaceArgs) -> Self {
        Self {
            catalog: args.catalog,
            environment: args.environment,
            json: args.json,
        }
    }
}

#[derive(Debug, Args)]
struct DiffArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
struct PushArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Compare the catalog with audit.lock only; needs no API key
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: SchemaArgs) -> Result<(), Failure> {
    match args.command {
        Command::Diff(args) => schema::diff(&args.place.into()),
        Command::Check(args) => schema::check(&args.place.into(), args.offline),
        Command::Push(args) => {
            let consent = match (args.dry_run, args.yes) {
                (true, _) => Consent::DryRun,
                (false, true) => Consent::Given,
                (false, false) => Consent::Ask,
            };
            schema::push(&args.place.into(), consent)
        }
    }
}
