//! The steps of the command, in their order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::package::consumer::Consumer;
use crate::package::contents;
use crate::package::unpack::{Unpacked, unpack};
use crate::process::{cargo, heading, root, run, scratch};
use crate::published::{Published, published};

/// Packages, unpacks and checks the published crates, then builds and tests the consumer.
pub(crate) fn package() -> Result<(), Error> {
    let crates = published()?;
    // Of its own, so that the next run finds what this one has built.
    let target = root().join("target").join("package-check");
    let files = package_files(&crates, &target)?;

    let consumer = Consumer::new(scratch("package-check"), target);
    heading(&format!("unpacking to {}", consumer.crates().display()));
    let unpacked = unpack(&files, &consumer.crates())?;
    report(&unpacked)?;

    consumer.copy_template(&root().join("tests/consumer"), &unpacked)?;
    consumer.test_and_build()?;
    consumer.check_schemas_and_delivery()?;
    heading(&format!(
        "{} packages are complete, and the consumer's tests pass against them",
        unpacked.len()
    ));
    Ok(())
}

/// Builds the package files of the last commit's sources, and returns their paths.
///
/// Nothing is compiled here: the consumer compiles the unpacked files.
fn package_files(crates: &[Published], target: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = target.join("package");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|source| Error::file("remove", &folder, source))?;
    }
    let mut command = cargo();
    command.args(["package", "--quiet", "--no-verify"]);
    for published in crates {
        command.args(["--package", &published.name]);
    }
    command.arg("--target-dir").arg(target);
    run(&mut command)?;
    Ok(crates
        .iter()
        .map(|published| folder.join(format!("{}.crate", published.stem())))
        .collect())
}

/// Prints the size of each package, and fails if one lacks a file.
fn report(unpacked: &[Unpacked]) -> Result<(), Error> {
    let mut missing = Vec::new();
    for package in unpacked {
        let found = contents::contents(package)?;
        eprintln!(
            "{:<24} {:>6} KiB {:>5} files",
            package.name,
            package.size.div_ceil(1024),
            found.files
        );
        missing.extend(found.missing);
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(missing.join("\n")))
}
