//! Fault injection for processes that record durable events, with a check of the delivered events.
//!
//! `cargo xtask torture --rounds 200` runs it. Each round has its own folder and one kind of fault.
//! Its processes record under load and report the acknowledged events; a last process without
//! faults delivers the rest. Then the events are compared: every acknowledged event arrived, no
//! event arrived twice, and no event arrived that was not recorded. A round that itself destroys
//! bytes on the disk may lose the events in them; these are counted separately, *never* as lost.
//!
//! The processes run this program with one of its hidden subcommands.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: its result on stdout, its progress on stderr"
)]

mod child;
mod corrupt;
mod cuts;
mod error;
mod ledger;
mod mounts;
mod partial;
mod process;
mod round;
mod tally;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::mounts::Mounts;
use crate::tally::Tally;

/// Injects faults into processes that record durable events, and checks the delivered events
///
/// The kinds of faults: kill, kill in a row, kill during recovery, full disk, read-only disk, write
/// errors, flipped bytes, cut log, two processes, clock jumps, partial failure (the service always
/// fails some events), removed files, second name (another process opens the file by another name),
/// hung disk (writes block for a while)
#[derive(Debug, Parser)]
#[command(name = "torture", bin_name = "cargo xtask torture")]
struct Cli {
    #[command(subcommand)]
    child: Option<Child>,

    /// Number of rounds; 14 rounds have each kind once
    #[arg(long, value_name = "N", default_value_t = 28)]
    rounds: u32,

    /// Seed of the first round; it increases by one per round
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// Records events until standard input ends
    #[command(hide = true)]
    Record(child::Record),
    /// Delivers the events of the spool
    #[command(hide = true)]
    Drain(child::Drain),
    /// Truncates a log at every block, and reads the events that are left
    #[command(hide = true)]
    Cuts {
        #[arg(long)]
        spool: PathBuf,
        #[arg(long)]
        work: PathBuf,
    },
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

/// Runs the rounds. Returns `true` if none lost an event or had another problem.
fn torture(rounds: u32, seed: Option<u64>) -> Result<bool, Error> {
    // In its own mount namespace, so that no mount outlives the process.
    let Some(mounts) = Mounts::find()? else {
        return Ok(true);
    };
    let first = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    eprintln!("torture: {rounds} rounds, seeds from {first}");
    eprintln!("torture: {}", mounts.description());
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
                "{}seed {seed}, {}: {}\n  reproduce: cargo xtask torture --rounds 1 --seed {seed}",
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
