//! `cargo xtask bench compile`: `cargo check` of many audited functions, beside the same functions
//! plain and under `#[tracing::instrument]`.
//!
//! One package of each kind is generated below `target/`, and all are checked in turn in one run.
//! The user times of cargo and all compilers below it are compared, on which other load on the
//! machine has little effect.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use wait4::Wait4;

use crate::error::Error;
use crate::process::{cargo, heading, root, run as run_to_end, shown};

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The number of functions in each package, and of actions in the catalog
    #[arg(long, default_value = "1000")]
    functions: NonZeroU32,
    /// The number of times that each package is checked
    #[arg(long, default_value = "5")]
    rounds: NonZeroU32,
}

/// The packages, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Audited,
    Instrument,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Plain, Self::Audited, Self::Instrument];

    fn package(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Audited => "audited-functions",
            Self::Instrument => "instrument",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Audited => "#[audited(action, target)]",
            Self::Instrument => "#[tracing::instrument(skip_all, fields(id))]",
        }
    }

    fn attribute(self, number: u32) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Audited => {
                format!(
                    "#[audit_tower::audited(action = \"thing.do_{number}\", target = \"id\")]\n"
                )
            }
            Self::Instrument => "#[tracing::instrument(skip_all, fields(id = %id))]\n".to_owned(),
        }
    }
}

pub(crate) fn run(options: &Compile) -> Result<(), Error> {
    let folder = root().join("target/bench-compile");
    let functions = options.functions.get();
    generate(&folder, functions)?;
    heading("dependencies of the packages");
    for kind in Kind::ALL {
        run_to_end(&mut check(&folder, kind))?;
    }
    let mut times: Vec<(Kind, Vec<Duration>)> = Kind::ALL.map(|kind| (kind, Vec::new())).to_vec();
    for round in 1..=options.rounds.get() {
        heading(&format!("round {round} of {}", options.rounds));
        for (kind, times) in &mut times {
            let source = folder.join(kind.package()).join("src/lib.rs");
            // The changed comment makes the compiler check the file again, with the same work.
            write(
                &source,
                &format!("{}// round {round}\n", source_of(*kind, functions)),
            )?;
            times.push(user_time(&mut check(&folder, *kind))?);
        }
    }
    print(functions, &times);
    Ok(())
}

/// Prints the table. Its ratios are medians of ratios of the same round, on which a machine that is
/// busier in one round than in another has little effect.
fn print(functions: u32, times: &[(Kind, Vec<Duration>)]) {
    let of = |wanted| {
        let found = times.iter().find(|(kind, _)| *kind == wanted);
        found.map_or(&[][..], |(_, times)| times)
    };
    println!(
        "cargo check of {functions} async functions, user seconds, median of {} rounds\n",
        times[0].1.len()
    );
    println!(
        "{:46} {:>8} {:>15} {:>9} {:>14}",
        "", "median", "spread", "/ plain", "/ instrument"
    );
    for (kind, times) in times {
        let seconds: Vec<_> = times.iter().map(Duration::as_secs_f64).collect();
        let (least, most) = spread(times);
        println!(
            "{:46} {:>8.2} {least:>7.2}–{most:<7.2} {:>9.2} {:>14.2}",
            kind.label(),
            median(seconds),
            median(ratios(times, of(Kind::Plain))),
            median(ratios(times, of(Kind::Instrument)))
        );
    }
}

fn ratios(times: &[Duration], others: &[Duration]) -> Vec<f64> {
    let pairs = times.iter().zip(others);
    pairs
        .map(|(time, other)| time.div_duration_f64(*other))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

fn spread(times: &[Duration]) -> (f64, f64) {
    let seconds = || times.iter().map(Duration::as_secs_f64);
    (
        seconds().fold(f64::INFINITY, f64::min),
        seconds().fold(0.0, f64::max),
    )
}

/// Runs a program, and returns the user time of it and of all that it starts.
fn user_time(command: &mut Command) -> Result<Duration, Error> {
    let shown = shown(command);
    let failed = |source| Error::Start {
        command: shown.clone(),
        source,
    };
    let mut child = command.stderr(Stdio::null()).spawn().map_err(failed)?;
    let ended = child.wait4().map_err(failed)?;
    if !ended.status.success() {
        return Err(Error::Failed {
            command: shown,
            status: ended.status,
        });
    }
    Ok(ended.rusage.utime)
}

fn check(folder: &Path, kind: Kind) -> Command {
    let mut command = cargo();
    command
        .args(["check", "--offline", "--package", kind.package()])
        .current_dir(folder);
    // An incremental cache costs each kind in proportion to its code, and a first check has no use
    // for it.
    command
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", folder.join("target"));
    command.env_remove("AUDIT_CATALOG");
    command
}

/// Writes a workspace of the three packages.
fn generate(folder: &Path, functions: u32) -> Result<(), Error> {
    let members = Kind::ALL
        .map(|kind| format!("\"{}\"", kind.package()))
        .join(", ");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    write(&folder.join("Cargo.toml"), &manifest)?;
    let lock = root().join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock"))
        .map_err(|source| Error::file("copy", lock, source))?;
    for kind in Kind::ALL {
        let package = folder.join(kind.package());
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             audit-tower = {{ path = {:?} }}\ntracing = \"0.1\"\n",
            kind.package(),
            root().join("audit-tower")
        );
        write(&package.join("Cargo.toml"), &manifest)?;
        write(&package.join("src/lib.rs"), &source_of(kind, functions))?;
    }
    write(
        &folder.join(Kind::Audited.package()).join("audit.toml"),
        &catalog(functions),
    )
}

/// Returns functions that do a little of what handlers do: await, compare, fail, return.
fn source_of(kind: Kind, functions: u32) -> String {
    let mut source = String::from(
        // Every package loads both libraries, so that only the attribute differs.
        "extern crate audit_tower as _;\nextern crate tracing as _;\n\n\
         pub async fn load(id: u64) -> Result<String, std::fmt::Error> { Ok(id.to_string()) }\n",
    );
    for number in 0..functions {
        let attribute = kind.attribute(number);
        // Writing into a string never fails.
        let _ = write!(
            source,
            "\n{attribute}pub async fn do_{number}(id: u64, name: String) -> Result<usize, std::fmt::Error> {{
    let text = load(id).await?;
    if text == name {{
        return Err(std::fmt::Error);
    }}
    let both = format!(\"{{text}} {{name}}\");
    Ok(both.len() + {number})
}}
"
        );
    }
    source
}

fn catalog(functions: u32) -> String {
    (0..functions)
        .map(|number| format!("[action.\"thing.do_{number}\"]\ntargets = [\"thing\"]\n\n"))
        .collect()
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |path: PathBuf| move |source| Error::file("write", path, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    }
    fs::write(path, text).map_err(failed(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_differ_in_the_attribute_alone() {
        let without_attributes = |kind| {
            let source = source_of(kind, 3);
            source
                .lines()
                .filter(|line| !line.starts_with("#["))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let plain = without_attributes(Kind::Plain);
        assert_eq!(without_attributes(Kind::Audited), plain);
        assert_eq!(without_attributes(Kind::Instrument), plain);
        assert_eq!(
            source_of(Kind::Audited, 3)
                .matches("#[audit_tower::audited(action = \"thing.do_")
                .count(),
            3
        );
        assert_eq!(catalog(3).matches("[action.").count(), 3);
    }

    #[test]
    fn median_is_the_middle_value_or_the_mean_of_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ratios_are_of_times_in_the_same_round() {
        let seconds = |times: [u64; 3]| times.map(Duration::from_secs);
        let (slow, fast) = (seconds([4, 40, 8]), seconds([2, 20, 4]));
        assert_eq!(ratios(&slow, &fast), [2.0; 3]);
    }
}
