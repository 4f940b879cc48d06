//! `cargo xtask features`: lints each published crate without features, with each feature alone and
//! with all of them.

use std::process::Command;

use crate::error::Error;
use crate::process::{cargo, heading, run};
use crate::published::{Published, published};

/// Checks all sets of features, and fails if one does not compile without a warning.
pub(crate) fn features() -> Result<(), Error> {
    let crates = published()?;
    let checks: Vec<_> = crates.iter().flat_map(checks).collect();
    let total = checks.len();
    let mut failed = Vec::new();
    for (index, mut check) in checks.into_iter().enumerate() {
        eprint!("\n[{}/{total}]", index + 1);
        match run(&mut check) {
            Ok(()) => {}
            Err(Error::Failed { command, .. }) => failed.push(command),
            Err(error) => return Err(error),
        }
    }
    if failed.is_empty() {
        heading(&format!(
            "{total} sets of features of {} crates compile without a warning",
            crates.len()
        ));
        return Ok(());
    }
    Err(Error::Finding(format!(
        "{} of {total} sets of features do not compile without a warning; run\n{}",
        failed.len(),
        failed.join("\n")
    )))
}

/// Returns a command for each set of features of a crate.
///
/// Clippy is what denies warnings: `RUSTFLAGS` would compile all dependencies a second time.
fn checks(published: &Published) -> Vec<Command> {
    let mut sets = vec![vec!["--no-default-features"]];
    for feature in &published.features {
        sets.push(vec!["--no-default-features", "--features", feature]);
    }
    if published.has_default {
        sets.push(Vec::new());
    }
    // The set of a single feature is that of all.
    if published.features.len() > 1 {
        sets.push(vec!["--all-features"]);
    }
    let command = |set: Vec<&str>| {
        let mut command = cargo();
        command.args(["clippy", "--quiet", "--package", &published.name]);
        command.args(set).args(["--", "-D", "warnings"]);
        command
    };
    sets.into_iter().map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::shown;

    fn shown_checks(features: &[&str], has_default: bool) -> Vec<String> {
        let published = Published {
            name: "library".to_owned(),
            version: "0.1.0".to_owned(),
            folder: "library".into(),
            features: features.iter().map(|name| (*name).to_owned()).collect(),
            has_default,
        };
        let checks = checks(&published);
        let arguments = |check: &Command| {
            let text = shown(check);
            text.replace("cargo clippy --quiet --package library", "")
                .replace(" -- -D warnings", "")
                .trim()
                .to_owned()
        };
        checks.iter().map(arguments).collect()
    }

    #[test]
    fn each_feature_is_checked_alone_and_with_the_others() {
        assert_eq!(
            shown_checks(&["a", "b"], true),
            [
                "--no-default-features",
                "--no-default-features --features a",
                "--no-default-features --features b",
                "",
                "--all-features",
            ]
        );
    }

    #[test]
    fn a_crate_without_features_is_checked_once() {
        assert_eq!(shown_checks(&[], false), ["--no-default-features"]);
    }
}
