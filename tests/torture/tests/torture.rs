//! Twenty-eight rounds: each kind of fault twice.
#![cfg(unix)]

use std::process::Command;

#[test]
fn acknowledged_events_survive_every_kind_of_fault() {
    let output = Command::new(env!("CARGO_BIN_EXE_torture"))
        .args(["--rounds", "28"])
        .output()
        .unwrap();
    let summary = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{summary}{errors}");
    assert!(
        summary.contains("torture: 28 rounds") && summary.trim_end().ends_with(", lost 0"),
        "{summary}{errors}"
    );
}
