//! Twenty rounds, in which each kind of violence has its turn twice.
#![cfg(unix)]

use std::process::Command;

#[test]
fn what_was_acknowledged_survives_every_kind_of_violence() {
    let output = Command::new(env!("CARGO_BIN_EXE_torture"))
        .args(["--rounds", "20"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(
        said.contains("torture: 20 rounds") && said.trim_end().ends_with(", lost 0"),
        "{said}{errors}"
    );
}
