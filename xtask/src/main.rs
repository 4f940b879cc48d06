//! Repository chores: `cargo xtask <command>`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: results on stdout, progress on stderr"
)]

mod bench;
mod error;
mod features;
mod fuzz;
mod language;
mod mutate;
mod package;
mod process;
mod programs;
#[cfg(test)]
mod public_dependencies;
mod published;
mod release;
mod sources;
mod structure;
mod test;
mod torture;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::Error;

/// Chores of this repository.
#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every test of the workspace, then the doc tests
    Test {
        /// Passed on to `cargo nextest run`, or to `cargo test` where nextest is not installed; not
        /// to the doc tests
        #[arg(last = true, value_name = "ARGS")]
        runner: Vec<OsString>,
    },
    /// Plants mistakes in a copy, and fails if the tests do not detect one
    Mutate {
        /// Plants only these; all unless named
        #[arg(value_name = "MUTANT", value_parser = mutate::names())]
        only: Vec<String>,
    },
    /// Fuzzes every reader of untrusted input, and fails on a crash
    Fuzz(fuzz::Fuzz),
    /// Injects faults into processes that record durable events, and fails if an event is lost
    ///
    /// The kinds of faults: kill, kill in a row, kill during recovery, full disk, read-only disk,
    /// write errors, flipped bytes, cut log, two processes, clock jumps, partial failure (the
    /// service always fails some events), removed files, second name (another process opens the
    /// file by another name), hung disk (writes block for a while)
    Torture(torture::Torture),
    /// Measures the language of all comments, and fails if a goal is missed
    CheckLanguage(language::CheckLanguage),
    /// Checks that imports go one way inside each crate, and prints the figures
    CheckStructure(structure::CheckStructure),
    /// Builds the packages of the published crates, and tests a service against them alone
    Package,
    /// Lints each published crate without features, with each alone and with all
    Features,
    /// Checks the dependencies' licences, sources and Rust versions, and names what a release lacks
    CheckRelease,
    /// Measures in a release build
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        None => help(),
        Some(Command::Test { runner }) => test::run_tests(&runner),
        Some(Command::Mutate { only }) => mutate::run(&only),
        Some(Command::Fuzz(options)) => fuzz::fuzz(&options),
        Some(Command::Torture(options)) => torture::torture(&options),
        Some(Command::CheckLanguage(options)) => language::check_language(&options),
        Some(Command::CheckStructure(options)) => structure::check_structure(&options),
        Some(Command::Package) => package::package(),
        Some(Command::Features) => features::features(),
        Some(Command::CheckRelease) => release::check_release(),
        Some(Command::Bench { bench }) => bench::run(&bench),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.with_causes());
            ExitCode::from(error.exit_code())
        }
    }
}

fn help() -> Result<(), Error> {
    Cli::command()
        .print_help()
        .map_err(|source| Error::file("write the help to", "stdout", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn unknown_command_reports_the_nearest_and_exits_with_2() {
        let error = Cli::try_parse_from(["xtask", "mutat"]).unwrap_err();
        assert!(error.to_string().contains("'mutate'"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn arguments_after_two_dashes_go_to_the_test_runner() {
        let cli = Cli::try_parse_from(["xtask", "test", "--", "--no-capture", "queue"]).unwrap();
        let Some(Command::Test { runner }) = cli.command else {
            panic!("parsed as something else");
        };
        assert_eq!(runner, ["--no-capture", "queue"]);
    }
}
