//! Compiles the files of `tests/ui` and compares the compiler's messages.
//!
//! trybuild compiles in a project of its own, in which this crate's catalog is not found, so a
//! variable names it. A process cannot safely change its own environment; each test therefore runs
//! again in a child process that has the variable.

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
fn valid_uses_compile_and_invalid_ones_do_not() -> io::Result<()> {
    with_catalog(
        "valid_uses_compile_and_invalid_ones_do_not",
        "audit.toml",
        |cases| {
            cases.pass("tests/ui/pass/*.rs");
            cases.compile_fail("tests/ui/fail/*.rs");
        },
    )
}

/// The shapes and traps that do not compile, or have to emit a warning; the others are in
/// `tests/rows`.
#[test]
fn shapes_have_the_expected_messages() -> io::Result<()> {
    let test = "shapes_have_the_expected_messages";
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
