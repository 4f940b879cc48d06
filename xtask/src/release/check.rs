//! The steps of the command, in their order.

use std::fs;

use crate::error::Error;
use crate::process::{cargo, heading, output, root, run, succeeds};
use crate::published::parse;
use crate::release::dependencies::{self, Lists};
use crate::release::packages::packages;
use crate::release::{placeholders, rust_version};

/// Runs all checks, then reports every finding of ours at once.
pub(crate) fn check_release() -> Result<(), Error> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--locked", "--all-features"]);
    metadata.args(["--format-version", "1"]);
    heading("reading the dependencies");
    let packages = packages(&parse(&output(&mut metadata)?)?);

    let mut findings = Vec::new();
    if succeeds(cargo().args(["deny", "--version"])) {
        run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        heading(
            "checking licences, sources and bans without cargo-deny, which checks more (`cargo install cargo-deny --locked`)",
        );
        findings.extend(dependencies::check(
            &packages,
            &Lists::parse(&read("deny.toml")?),
        ));
    }
    heading("checking the Rust versions that the dependencies need");
    findings.extend(rust_version::check(&packages));

    let placeholders = placeholders::find(&read("Cargo.toml")?);
    for placeholder in placeholders {
        eprintln!("note: {placeholder}");
    }
    if findings.is_empty() {
        heading(&format!("{} packages pass", packages.len()));
        return Ok(());
    }
    Err(Error::Finding(findings.join("\n")))
}

fn read(file: &str) -> Result<String, Error> {
    let path = root().join(file);
    fs::read_to_string(&path).map_err(|source| Error::file("read", &path, source))
}
