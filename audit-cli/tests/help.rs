//! The help texts, compared with the files beside this one. A change of the command line shows up
//! there and is read by a person.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Stdio};

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
fn the_help_is_the_one_that_was_read() {
    assert_eq!(help(&["--help"]), include_str!("help/audited.txt"));
}

#[test]
fn the_help_of_serve_is_the_one_that_was_read() {
    assert_eq!(help(&["serve", "--help"]), include_str!("help/serve.txt"));
}

#[test]
fn the_help_of_spool_is_the_one_that_was_read() {
    assert_eq!(help(&["spool", "--help"]), include_str!("help/spool.txt"));
    for (command, text) in [
        ("status", include_str!("help/spool_status.txt")),
        ("dead", include_str!("help/spool_dead.txt")),
        ("redrive", include_str!("help/spool_redrive.txt")),
        ("purge", include_str!("help/spool_purge.txt")),
        ("verify", include_str!("help/spool_verify.txt")),
    ] {
        assert_eq!(help(&["spool", command, "--help"]), text);
    }
}

#[test]
fn the_help_of_schema_is_the_one_that_was_read() {
    assert_eq!(help(&["schema", "--help"]), include_str!("help/schema.txt"));
    for (command, text) in [
        ("diff", include_str!("help/schema_diff.txt")),
        ("push", include_str!("help/schema_push.txt")),
        ("check", include_str!("help/schema_check.txt")),
    ] {
        assert_eq!(help(&["schema", command, "--help"]), text);
    }
}
