//! `cargo xtask test`: all tests, on a machine with Rust.

use std::ffi::OsString;
use std::process::Command;

use crate::error::Error;
use crate::process::{cargo, run, succeeds};
use crate::programs::{C_COMPILER, NODE, NPM};

/// A package outside of the workspace, with the oldest version of each dependency of `audit-core`
/// that is a range.
const OLDEST: &str = "tests/oldest-sqlite/Cargo.toml";

/// Runs the tests, then the doc tests, and stops at the first failure.
pub(crate) fn run_tests(runner: &[OsString]) -> Result<(), Error> {
    for program in [C_COMPILER, NODE, NPM] {
        program.ensure()?;
    }
    let has_nextest = succeeds(cargo().args(["nextest", "--version"]));
    run(&mut tests(has_nextest, runner))?;
    // nextest does not run doc tests, and cargo runs them only separately.
    run(cargo().args(["test", "--workspace", "--doc", "--all-features"]))?;
    // The workspace has the newest versions. The oldest are checked and not built, since a build of
    // SQLite takes a minute.
    let target = ["--target-dir", "target"];
    run(cargo()
        .args(["check", "--locked", "--manifest-path", OLDEST])
        .args(target))
}

fn tests(has_nextest: bool, runner: &[OsString]) -> Command {
    let mut command = cargo();
    if has_nextest {
        command.args(["nextest", "run", "--workspace", "--all-features"]);
    } else {
        // All targets but the benchmarks, which are slow and no tests.
        command.args(["test", "--workspace", "--all-features"]);
        command.args(["--lib", "--bins", "--tests", "--examples"]);
    }
    command.args(runner);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::shown;

    #[test]
    fn nextest_is_used_where_it_is_installed() {
        let extra = ["queue".into()];
        assert_eq!(
            shown(&tests(true, &extra)),
            "cargo nextest run --workspace --all-features queue"
        );
        assert_eq!(
            shown(&tests(false, &extra)),
            "cargo test --workspace --all-features --lib --bins --tests --examples queue"
        );
    }
}
