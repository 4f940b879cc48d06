//! What the compiler says about right and wrong uses, each in a file of `tests/ui`.
//!
//! trybuild compiles in a project of its own, from which this crate's catalog is not found; a
//! variable names it. Since a process cannot safely change its own environment, each test runs
//! again in a child that has the variable.

use std::io;
use std::path::Path;
use std::process::Command;

fn with_catalog(
    test: &str,
    catalog: &str,
    cases: impl FnOnce(&trybuild::TestCases),
) -> io::Result<()> {
    const CHILD: &str = "AUDIT_DERIVE_UI_CHILD";
    if std::env::var_os(CHILD).is_some() {
        cases(&trybuild::TestCases::new());
        return Ok(());
    }
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join(catalog);
    let this = std::env::current_exe()?;
    let mut child = Command::new(this);
    child.args(["--exact", test, "--nocapture"]);
    child.env(CHILD, "1").env("AUDIT_CATALOG", catalog);
    assert!(
        child.status()?.success(),
        "see the output of trybuild above"
    );
    Ok(())
}

#[test]
fn right_and_wrong_uses() -> io::Result<()> {
    with_catalog("right_and_wrong_uses", "audit.toml", |cases| {
        cases.pass("tests/ui/pass/*.rs");
        cases.compile_fail("tests/ui/fail/*.rs");
    })
}

/// The shapes and traps that do not compile, or must say something while they do; the others are in
/// `tests/rows`.
#[test]
fn shapes_that_the_compiler_speaks_of() -> io::Result<()> {
    let test = "shapes_that_the_compiler_speaks_of";
    with_catalog(test, "audit.toml", |cases| {
        cases.compile_fail("tests/ui/shapes/*.rs");
    })
}

#[test]
fn a_missing_catalog_is_one_error_with_a_sample() -> io::Result<()> {
    let test = "a_missing_catalog_is_one_error_with_a_sample";
    with_catalog(test, "tests/ui/missing_catalog/audit.toml", |cases| {
        cases.compile_fail("tests/ui/missing_catalog/*.rs");
    })
}

#[test]
fn a_broken_lock_is_one_error_with_its_mistakes() -> io::Result<()> {
    let test = "a_broken_lock_is_one_error_with_its_mistakes";
    with_catalog(test, "tests/ui/broken_lock/audit.toml", |cases| {
        cases.compile_fail("tests/ui/broken_lock/*.rs");
    })
}

#[test]
fn a_broken_catalog_is_one_error_with_its_mistakes() -> io::Result<()> {
    let test = "a_broken_catalog_is_one_error_with_its_mistakes";
    with_catalog(test, "tests/ui/broken_catalog/audit.toml", |cases| {
        cases.compile_fail("tests/ui/broken_catalog/*.rs");
    })
}
