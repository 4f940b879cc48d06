//! Hurts processes that record durable events, and compares what each of them says with what the
//! server has.
//!
//! `cargo xtask torture --rounds 200` runs it. A round is a folder of its own, a kind of violence,
//! processes that record under load and say which event is acknowledged, one that is left in peace
//! and delivers the rest, and the comparison: every acknowledged event is there, no event is there
//! twice, and none that nobody recorded. Where the round destroys bytes on the disk itself, what
//! they held may be gone; that is counted by itself, and never as lost.
//!
//! The processes are this program, with one of the hidden subcommands.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: its result on stdout, its progress on stderr"
)]

mod child;
mod cuts;
mod hurt;
mod ledger;
mod mounts;
mod process;
mod round;
mod tally;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::mounts::Mounts;
use crate::tally::Tally;

/// Hurts processes that record durable events, and compares the ledgers
#[derive(Debug, Parser)]
#[command(name = "torture", bin_name = "cargo xtask torture")]
struct Cli {
    #[command(subcommand)]
    child: Option<Child>,

    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: u32,

    /// The seed of the first round; the others count up from it
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// Records until its standard input ends
    #[command(hide = true)]
    Record(child::Record),
    /// Delivers what the spool has
    #[command(hide = true)]
    Drain(child::Drain),
    /// Cuts a log everywhere, and reads what is left
    #[command(hide = true)]
    Cuts {
        #[arg(long)]
        spool: PathBuf,
        #[arg(long)]
        work: PathBuf,
    },
}

/// What kept the torture, or one of its processes, from going on.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{doing}: {source}")]
    Io {
        doing: String,
        source: std::io::Error,
    },
    #[error("{0}")]
    Other(String),
}

impl Error {
    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    fn other(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.child {
        Some(Child::Record(args)) => child::record(&args).map(|()| true),
        Some(Child::Drain(args)) => child::drain(&args).map(|()| true),
        Some(Child::Cuts { spool, work }) => cuts::run(&spool, &work).map(|()| true),
        None => torture(cli.rounds, cli.seed),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all rounds held what was promised.
fn torture(rounds: u32, seed: Option<u64>) -> Result<bool, Error> {
    // In a namespace of its own, so that no mount outlives the process, however it ends.
    let Some(mounts) = Mounts::find()? else {
        return Ok(true);
    };
    let first = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    eprintln!("torture: {rounds} rounds, seeds from {first}");
    eprintln!("torture: {}", mounts.means());
    let setting = round::Setting::new(mounts)?;
    let progress = std::io::stderr().is_terminal();
    let mut tally = Tally::default();
    for number in 0..rounds {
        let seed = first.wrapping_add(u64::from(number));
        let kind = round::Kind::of(seed);
        if progress {
            eprint!(
                "\r\u{1b}[K{}/{rounds} seed {seed}: {}",
                number + 1,
                kind.name()
            );
        }
        let result = setting.round(kind, seed);
        if !result.problems.is_empty() {
            eprintln!(
                "{}seed {seed}, {}: {}\n  again: cargo xtask torture --rounds 1 --seed {seed}",
                if progress { "\r\u{1b}[K" } else { "" },
                kind.name(),
                result.problems.join("; ")
            );
        }
        tally.add(kind, &result);
    }
    if progress {
        eprint!("\r\u{1b}[K");
    }
    println!("{}", tally.line());
    Ok(tally.is_clean())
}
