//! The arguments of `audited schema`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::schema::{self, Consent, Options};

/// The end of the help of every subcommand.
const AFTER: &str = "\
The catalog is the file of --catalog, else of AUDIT_CATALOG, else audit.toml in the current folder, beside the nearest \
Cargo.toml, or in a folder above it up to the workspace root. audit.lock is in the same folder. WORKOS_API_KEY is the API \
key of the environment. WORKOS_BASE_URL is the address of the service; the default is WorkOS.

Exit codes: 0 success, 1 differences (or the push was declined), 2 invalid arguments, settings or catalog, 3 the service \
or a file failed.";

/// Compare the catalog with the service, and register schemas
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how each action of the catalog differs from the service
    #[command(after_help = AFTER)]
    Diff(DiffArgs),
    /// Register new and changed schemas, and write audit.lock
    #[command(after_help = AFTER)]
    Push(PushArgs),
    /// Fail if catalog, audit.lock and service differ, for CI
    #[command(after_help = AFTER)]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Catalog to read; audit.lock is in the same folder
    #[arg(long, value_name = "PATH")]
    catalog: Option<PathBuf>,

    /// Environment of audit.lock that the API key belongs to
    #[arg(long, value_name = "NAME", default_value = "production", value_parser = NonEmptyStringValueParser::new())]
    environment: String,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl From<CommonArgs> for Options {
    fn from(args: CommonArgs) -> Self {
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
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct PushArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Show the changes without registering them
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Compare the catalog with audit.lock only; needs no API key
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: SchemaArgs) -> Result<(), Failure> {
    match args.command {
        Command::Diff(args) => schema::diff(&args.common.into()),
        Command::Check(args) => schema::check(&args.common.into(), args.offline),
        Command::Push(args) => {
            let consent = match (args.dry_run, args.yes) {
                (true, _) => Consent::DryRun,
                (false, true) => Consent::Given,
                (false, false) => Consent::Ask,
            };
            schema::push(&args.common.into(), consent)
        }
    }
}
