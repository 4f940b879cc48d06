//! The programs that chores need beside those of Rust.

use std::env::consts::OS;
use std::process::Command;

use crate::error::Error;
use crate::process::{heading, output, run, succeeds};

/// A program, and the ways to install it.
pub(crate) struct Program {
    /// The command, which is probed with `--version`.
    name: &'static str,
    /// The reason that it is needed, for messages.
    purpose: &'static str,
    /// The names of its apt packages.
    apt: &'static [&'static str],
    /// The instruction for systems without apt.
    elsewhere: &'static str,
}

/// The compiler for SQLite and the cryptography of TLS.
pub(crate) const C_COMPILER: Program = Program {
    name: "cc",
    purpose: "SQLite and TLS are built with it",
    apt: &["gcc", "libc6-dev"],
    elsewhere: "install a C compiler, such as gcc or clang, and put it into PATH (on macOS: `xcode-select --install`)",
};

/// The compiler for libFuzzer.
pub(crate) const CXX_COMPILER: Program = Program {
    name: "c++",
    purpose: "libFuzzer is built with it",
    apt: &["g++"],
    elsewhere: "install a C++ compiler, such as g++ or clang++, and put it into PATH (on macOS: `xcode-select --install`)",
};

/// The runtime of the official Node SDK.
pub(crate) const NODE: Program = Program {
    name: "node",
    purpose: "the tests drive the local server with the official Node SDK",
    apt: &["nodejs", "npm"],
    elsewhere: "install Node.js 20 or newer from https://nodejs.org and put it into PATH",
};

/// The installer of that SDK.
pub(crate) const NPM: Program = Program {
    name: "npm",
    purpose: "the tests fetch the official Node SDK with it",
    apt: &["npm"],
    elsewhere: "install Node.js 20 or newer from https://nodejs.org, which brings npm",
};

/// The counter of processor instructions.
pub(crate) const VALGRIND: Program = Program {
    name: "valgrind",
    purpose: "`cargo xtask bench instructions` counts with it",
    apt: &["valgrind"],
    elsewhere: "install valgrind, which runs on Linux (https://valgrind.org), and put it into PATH",
};

impl Program {
    /// Installs the program if it is missing and the user is root.
    ///
    /// # Errors
    ///
    /// The program is missing and was not installed; the message has the command that installs it.
    pub(crate) fn ensure(&self) -> Result<(), Error> {
        let Self { name, purpose, .. } = self;
        if self.is_installed() {
            return Ok(());
        }
        let has_apt = || succeeds(Command::new("apt-get").arg("--version"));
        let is_root =
            || output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
        match self.remedy(OS, has_apt(), is_root()) {
            Remedy::Install => {
                heading(&format!("there is no `{name}` ({purpose}); installing it"));
                run(Command::new("apt-get").arg("update"))?;
                let mut install = Command::new("apt-get");
                install.args(["install", "--yes", "--no-install-recommends"]);
                run(install
                    .args(self.apt)
                    .env("DEBIAN_FRONTEND", "noninteractive"))?;
            }
            Remedy::Instruct(how) => {
                return Err(Error::Finding(format!(
                    "there is no `{name}` ({purpose}); {how}"
                )));
            }
        }
        if self.is_installed() {
            return Ok(());
        }
        Err(Error::Finding(format!(
            "apt-get installed {}, but there is still no `{name}` in PATH",
            self.apt.join(" and ")
        )))
    }

    fn is_installed(&self) -> bool {
        succeeds(Command::new(self.name).arg("--version"))
    }

    /// Returns the remedy for a missing program. Only root installs without a question.
    fn remedy(&self, os: &str, has_apt: bool, is_root: bool) -> Remedy {
        match os {
            "linux" if has_apt && is_root => Remedy::Install,
            "linux" if has_apt => Remedy::Instruct(format!(
                "run `sudo apt-get update && sudo apt-get install {}`",
                self.apt.join(" ")
            )),
            _ => Remedy::Instruct(self.elsewhere.to_owned()),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Remedy {
    Install,
    Instruct(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_installs_and_other_users_get_instructions() {
        assert_eq!(C_COMPILER.remedy("linux", true, true), Remedy::Install);
        let instruction = |program: &Program, os, has_apt| match program.remedy(os, has_apt, false)
        {
            Remedy::Instruct(how) => how,
            Remedy::Install => panic!("installs without being root"),
        };
        assert!(
            instruction(&C_COMPILER, "linux", true).contains("sudo apt-get install gcc libc6-dev")
        );
        assert!(instruction(&C_COMPILER, "linux", false).contains("gcc or clang"));
        assert!(instruction(&C_COMPILER, "macos", false).contains("xcode-select"));
        assert!(instruction(&NODE, "linux", true).contains("sudo apt-get install nodejs npm"));
        assert_ne!(NODE.remedy("linux", false, true), Remedy::Install);
    }
}
