//! Snapshots of the help texts, in the folder `help`.
//!
//! Run with `AUDITED_UPDATE_HELP=1` to write them, and read the difference.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Asserts that the help of a subcommand is the snapshot of this name.
#[track_caller]
fn assert_help(args: &[&str], name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/help")
        .join(name);
    let help = help(args);
    if std::env::var_os("AUDITED_UPDATE_HELP").is_some() {
        fs::write(path, help).unwrap();
    } else {
        assert_eq!(help, fs::read_to_string(path).unwrap());
    }
}

fn help(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
    command
        .args(args)
        .stdin(Stdio::null())
        .env_remove("COLUMNS")
        .env_remove("CLICOLOR_FORCE");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_is_the_snapshot() {
    assert_help(&["--help"], "audited.txt");
}

#[test]
fn help_of_serve_is_the_snapshot() {
    assert_help(&["serve", "--help"], "serve.txt");
}

#[test]
fn help_of_spool_is_the_snapshot() {
    assert_help(&["spool", "--help"], "spool.txt");
    for command in ["status", "dead", "redrive", "purge", "verify"] {
        let name = format!("spool_{command}.txt");
        assert_help(&["spool", command, "--help"], &name);
    }
}

#[test]
fn help_of_schema_is_the_snapshot() {
    assert_help(&["schema", "--help"], "schema.txt");
    for command in ["diff", "push", "check"] {
        let name = format!("schema_{command}.txt");
        assert_help(&["schema", command, "--help"], &name);
    }
}
