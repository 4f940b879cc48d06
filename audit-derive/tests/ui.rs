//! What the compiler says about right and wrong uses, each in a file of `tests/ui`.

use std::path::Path;
use std::process::Command;

/// trybuild compiles in a project of its own, from which no catalog is found; a variable names this crate's. Since a
/// process cannot safely change its own environment, the test runs again in a child that has it.
#[test]
fn ui() {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit.toml");
    if std::env::var_os("AUDIT_CATALOG").is_none_or(|named| named != *catalog) {
        let this = std::env::current_exe().unwrap();
        let mut child = Command::new(this);
        child
            .args(["--exact", "ui", "--nocapture"])
            .env("AUDIT_CATALOG", &catalog);
        assert!(
            child.status().unwrap().success(),
            "see the output of trybuild above"
        );
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
