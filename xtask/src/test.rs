//! `cargo xtask test`: everything that has to pass, on a machine that has Rust.

use std::env::consts::OS;
use std::ffi::OsString;
use std::process::Command;

use crate::error::Error;
use crate::process::{cargo, heading, output, run, succeeds};

/// What the packages are called that bring a C compiler with apt.
const APT_PACKAGES: [&str; 2] = ["gcc", "libc6-dev"];

/// Runs the tests, then the doc tests, and stops at the first that fail.
pub(crate) fn run_tests(runner: &[OsString]) -> Result<(), Error> {
    c_compiler()?;
    let has_nextest = succeeds(cargo().args(["nextest", "--version"]));
    run(&mut tests(has_nextest, runner))?;
    // nextest does not run doc tests, and cargo runs them only by themselves.
    run(cargo().args(["test", "--workspace", "--doc", "--all-features"]))
}

fn tests(has_nextest: bool, runner: &[OsString]) -> Command {
    let mut command = cargo();
    if has_nextest {
        command.args(["nextest", "run", "--workspace", "--all-features"]);
    } else {
        // All targets but the benchmarks, which are no tests and take their time.
        command.args(["test", "--workspace", "--all-features"]);
        command.args(["--lib", "--bins", "--tests", "--examples"]);
    }
    command.args(runner);
    command
}

/// Sees to a C compiler: SQLite and the cryptography of TLS are compiled from C.
fn c_compiler() -> Result<(), Error> {
    let is_there = || succeeds(Command::new("cc").arg("--version"));
    let has_apt = || succeeds(Command::new("apt-get").arg("--version"));
    let is_root = || output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    if is_there() {
        return Ok(());
    }
    match remedy(OS, has_apt(), is_root()) {
        Remedy::Install => {
            heading("there is no C compiler (`cc`); installing one");
            run(Command::new("apt-get").arg("update"))?;
            let mut install = Command::new("apt-get");
            install.args(["install", "--yes", "--no-install-recommends"]);
            run(install
                .args(APT_PACKAGES)
                .env("DEBIAN_FRONTEND", "noninteractive"))?;
        }
        Remedy::Say(how) => {
            return Err(Error::Finding(format!(
                "there is no C compiler (`cc`), which SQLite and TLS are built with; {how}"
            )));
        }
    }
    if is_there() {
        return Ok(());
    }
    Err(Error::Finding(
        "apt-get installed gcc, but there is still no `cc` in PATH".to_owned(),
    ))
}

#[derive(Debug, PartialEq)]
enum Remedy {
    Install,
    Say(String),
}

/// Only root installs without being asked to.
fn remedy(os: &str, has_apt: bool, is_root: bool) -> Remedy {
    match os {
        "linux" if has_apt && is_root => Remedy::Install,
        "linux" if has_apt => Remedy::Say(format!(
            "run `sudo apt-get update && sudo apt-get install {}`",
            APT_PACKAGES.join(" ")
        )),
        "macos" => Remedy::Say("run `xcode-select --install`".to_owned()),
        _ => Remedy::Say("install one, such as gcc or clang, and put it into PATH".to_owned()),
    }
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

    #[test]
    fn only_root_installs_a_compiler_and_everybody_else_is_told_how() {
        assert_eq!(remedy("linux", true, true), Remedy::Install);
        let told = |os, has_apt| match remedy(os, has_apt, false) {
            Remedy::Say(how) => how,
            Remedy::Install => panic!("installs without being root"),
        };
        assert!(told("linux", true).contains("sudo apt-get install gcc"));
        assert!(told("linux", false).contains("gcc or clang"));
        assert!(told("macos", false).contains("xcode-select"));
        assert_ne!(remedy("linux", false, true), Remedy::Install);
    }
}
