//! `cargo xtask bench delivery`: the cost of recording and delivery beside their peers.
//!
//! It builds and runs the programs of `benches/`, a workspace of its own, since the peers are
//! heavy.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::error::Error;
use crate::process::{cargo, root, run as run_to_end};

/// The target folder of the programs; one of their own keeps the workspace's build.
pub(super) const TARGET_DIR: &str = "target/benches";

#[derive(Debug, Args)]
pub(crate) struct Delivery {
    /// Measure only these: `record`, `request`, `deliver`; all unless named
    #[arg(value_name = "PART")]
    only: Vec<String>,
}

pub(crate) fn run(delivery: &Delivery) -> Result<(), Error> {
    run_to_end(&mut build(&["--bins"]))?;
    let mut command = Command::new(program("delivery"));
    command.args(&delivery.only);
    // All servers are on this machine, and no proxy leads to it.
    command.env("NO_PROXY", "127.0.0.1");
    run_to_end(&mut command)
}

/// Returns the command for a release build of some programs of `benches/`.
pub(super) fn build(arguments: &[&str]) -> Command {
    let mut command = cargo();
    // Not `--locked`: the lock names our own crates, and what those need changes with them.
    command.args([
        "build",
        "--release",
        "--manifest-path",
        "benches/Cargo.toml",
    ]);
    command.args(["--target-dir", TARGET_DIR]).args(arguments);
    command
}

pub(super) fn program(name: &str) -> PathBuf {
    root().join(TARGET_DIR).join("release").join(name)
}
