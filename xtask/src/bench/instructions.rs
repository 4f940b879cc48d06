//! `cargo xtask bench instructions`: processor instructions of an event and of a request, counted
//! by valgrind, against the numbers that were checked in.
//!
//! A count is the same on a busy machine as on an idle one, so it can be asserted where a time
//! cannot. It is no measure of time, since it leaves out caches. The numbers are those of one
//! compiler and one C library; another may need `--update`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use super::delivery::{TARGET_DIR, build, program};
use crate::error::Error;
use crate::process::{root, run as run_to_end, shown};
use crate::programs::VALGRIND;

/// The cases of `benches/src/bin/instructions.rs`.
const CASES: [&str; 5] = [
    "record",
    "request-plain",
    "request-trace-layer",
    "request-no-event",
    "request-audited",
];
/// The number of times that it repeats a case.
const TIMES: u64 = 1_000;
/// The most that a count may rise or fall by, in percent, without `--update`.
const TOLERANCE: u64 = 5;

#[derive(Debug, Args)]
pub(crate) struct Instructions {
    /// Write the numbers instead of comparing with them
    #[arg(long)]
    update: bool,
}

type Counts = BTreeMap<String, u64>;

pub(crate) fn run(wanted: &Instructions) -> Result<(), Error> {
    VALGRIND.ensure()?;
    run_to_end(&mut build(&[
        "--no-default-features",
        "--bin",
        "instructions",
    ]))?;
    let mut counts = Counts::new();
    for case in CASES {
        counts.insert(case.to_owned(), count(case)?);
    }
    let file = root().join("benches").join("instructions.toml");
    if wanted.update {
        return fs::write(&file, written(&counts))
            .map_err(|source| Error::file("write", &file, source));
    }
    let text = fs::read_to_string(&file).map_err(|source| Error::file("read", &file, source))?;
    let expected = read(&text)?;
    println!("{}", table(&counts, &expected));
    let off = off(&counts, &expected);
    if off.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(format!(
        "more than {TOLERANCE} % off {}: {}; if that is meant, write the numbers with `cargo xtask bench instructions --update`",
        file.display(),
        off.join(", ")
    )))
}

/// Counts the instructions of one repetition of a case.
fn count(case: &str) -> Result<u64, Error> {
    let profile: PathBuf = [TARGET_DIR, &format!("callgrind.{case}")].iter().collect();
    let mut command = Command::new("valgrind");
    command.current_dir(root());
    command.args([
        "--tool=callgrind",
        "--toggle-collect=instructions::measured",
    ]);
    // The file is kept for `callgrind_annotate`.
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(program("instructions")).arg(case);
    let output = command.output().map_err(|source| Error::Start {
        command: shown(&command),
        source,
    })?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprint!("{text}");
        return Err(Error::Failed {
            command: shown(&command),
            status: output.status,
        });
    }
    match collected(&text) {
        // A total of 0 means that the function to count was not found.
        Some(total) if total > 0 => Ok(total / TIMES),
        _ => Err(Error::Finding(format!(
            "valgrind counted nothing for `{case}`: {text}"
        ))),
    }
}

/// Finds the total in the output of callgrind.
fn collected(output: &str) -> Option<u64> {
    let line = output
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    line?.1.trim().parse().ok()
}

fn written(counts: &Counts) -> String {
    let mut text =
        "# Processor instructions per event or request, by `cargo xtask bench instructions --update`.\n"
            .to_owned();
    for (case, count) in counts {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{case} = {count}");
    }
    text
}

fn read(text: &str) -> Result<Counts, Error> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let count = line.split_once(" = ").and_then(|(case, count)| {
                let count = count.parse().ok()?;
                Some((case.to_owned(), count))
            });
            count.ok_or_else(|| {
                Error::Finding(format!(
                    "benches/instructions.toml, line {}: not of the form `case = number`",
                    index + 1
                ))
            })
        })
        .collect()
}

/// Returns the cases that exceed the tolerance or have no number.
fn off(counts: &Counts, expected: &Counts) -> Vec<String> {
    let mut off = Vec::new();
    for (case, count) in counts {
        match expected.get(case) {
            Some(number) if count.abs_diff(*number) * 100 <= number * TOLERANCE => {}
            Some(number) => off.push(format!("{case} {number} → {count}")),
            None => off.push(format!("{case} none → {count}")),
        }
    }
    off
}

fn table(counts: &Counts, expected: &Counts) -> String {
    let mut text = format!("{:22} {:>12} {:>12}", "instructions", "now", "checked in");
    for (case, count) in counts {
        let number = expected.get(case).map_or("none".to_owned(), u64::to_string);
        // Writing to a String does not fail.
        let _ = write!(text, "\n{case:22} {count:>12} {number:>12}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> Counts {
        of.iter()
            .map(|(case, count)| ((*case).to_owned(), *count))
            .collect()
    }

    #[test]
    fn written_counts_are_read_back() {
        let counts = counts(&[("record", 4_000), ("request-plain", 6_500)]);
        assert_eq!(read(&written(&counts)).unwrap(), counts);
        let error = read("record = 1\nrecord: 2\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn counts_beyond_the_tolerance_and_cases_without_a_number_are_reported() {
        let expected = counts(&[("a", 1_000)]);
        assert!(off(&counts(&[("a", 1_050)]), &expected).is_empty());
        assert_eq!(off(&counts(&[("a", 1_051)]), &expected), ["a 1000 → 1051"]);
        assert_eq!(off(&counts(&[("a", 949)]), &expected), ["a 1000 → 949"]);
        assert_eq!(off(&counts(&[("b", 5)]), &expected), ["b none → 5"]);
    }

    #[test]
    fn total_is_found_in_the_output_of_callgrind() {
        let output = "==7== Events    : Ir\n==7== Collected : 4375664\n==7== \n";
        assert_eq!(collected(output), Some(4_375_664));
        assert_eq!(collected("==7== nothing"), None);
    }
}
