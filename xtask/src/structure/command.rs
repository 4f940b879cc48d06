//! Prints the figures of each crate, and fails on a mistake.

use std::fs;
use std::path::Path;

use clap::Args;

use super::check::{Report, Subject, check};
use super::floors::{ALLOWED_PAIRS, FLOORS, floors_text};
use super::krate::Files;
use crate::error::Error;
use crate::process::root;
use crate::sources::packages;

#[derive(Debug, Args)]
pub(crate) struct CheckStructure {
    /// Prints the floors of the crates, as ARCHITECTURE.md shows them
    #[arg(long, exclusive = true)]
    floors: bool,
    /// Only these packages, by their folders; all unless named
    #[arg(value_name = "PACKAGE")]
    packages: Vec<String>,
}

/// Checks the structure of all crates.
///
/// # Errors
///
/// A crate has a mistake, or a file cannot be read or parsed.
pub(crate) fn check_structure(options: &CheckStructure) -> Result<(), Error> {
    if options.floors {
        print!("{}", floors_text());
        return Ok(());
    }
    let reports: Vec<_> = reports(root())?
        .into_iter()
        .filter(|(package, _)| options.packages.is_empty() || options.packages.contains(package))
        .collect();
    println!("{}", table(&reports));
    let problems = problems(&reports);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(format!(
        "the structure has mistakes\n  {}",
        problems.join("\n  ")
    )))
}

fn problems(reports: &[(String, Report)]) -> Vec<String> {
    let problems = reports.iter().flat_map(|(_, report)| report.problems());
    problems.cloned().collect()
}

/// Checks each package with a library or a program of its own below `root`.
fn reports(root: &Path) -> Result<Vec<(String, Report)>, Error> {
    let mut reports = Vec::new();
    for (package, paths) in packages(root)? {
        let folder = format!("{package}/src/");
        let mut files = Files::new();
        for path in paths {
            let Some(name) = path.strip_prefix(&folder) else {
                continue;
            };
            let text = fs::read_to_string(root.join(&path))
                .map_err(|source| Error::file("read", root.join(&path), source))?;
            files.insert(name.to_owned(), text);
        }
        let floors = FLOORS.iter().find(|(name, _)| *name == package);
        for root in ["lib.rs", "main.rs"] {
            if files.contains_key(root) {
                let report = check(&Subject {
                    package: &package,
                    root,
                    files: &files,
                    floors: floors.map(|(_, floors)| *floors),
                    pairs: ALLOWED_PAIRS,
                })?;
                reports.push((package.clone(), report));
            }
        }
    }
    Ok(reports)
}

fn table(reports: &[(String, Report)]) -> String {
    let mut text = format!(
        "{:<28} {:>12} {:>6} {:>8} {:>17} {:>7} {:>15} {:>10}",
        "package",
        "root modules",
        "files",
        "circles",
        "files in circles",
        "upward",
        "through root %",
        "misplaced"
    );
    for (package, report) in reports {
        let has_floors = FLOORS.iter().any(|(name, _)| name == package);
        let upward = if has_floors {
            report.upward.len().to_string()
        } else {
            "–".to_owned()
        };
        text += &format!(
            "\n{package:<28} {:>12} {:>6} {:>8} {:>17} {upward:>7} {:>15.1} {:>10}",
            report.root_modules,
            report.files,
            report.circles.len(),
            report.files_in_circles,
            report.through_root_percent(),
            report.misplaced.len()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_keep_their_structure() {
        let reports = reports(root()).unwrap();
        assert_eq!(problems(&reports), [] as [&str; 0]);
        // The check saw something: the crates that there are, and their imports.
        let core = reports.iter().find(|(package, _)| package == "audit-core");
        assert!(core.is_some_and(|(_, report)| report.from_root > 100));
    }
}
