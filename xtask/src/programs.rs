//! The programs that tests use and cargo does not bring.

use std::env::consts::OS;
use std::process::Command;

use crate::error::Error;
use crate::process::{heading, output, run, succeeds};

/// A program, and how it comes onto a machine.
pub(crate) struct Program {
    /// What is run to see whether it is there.
    name: &'static str,
    /// What needs it.
    purpose: &'static str,
    /// What apt calls the packages that bring it.
    apt: &'static [&'static str],
    /// What to do where there is no apt.
    elsewhere: &'static str,
}

/// What SQLite and the cryptography of TLS are compiled with.
pub(crate) const C_COMPILER: Program = Program {
    name: "cc",
    purpose: "SQLite and TLS are built with it",
    apt: &["gcc", "libc6-dev"],
    elsewhere: "install a C compiler, such as gcc or clang, and put it into PATH (on macOS: `xcode-select --install`)",
};

/// What libFuzzer is compiled with.
pub(crate) const CXX_COMPILER: Program = Program {
    name: "c++",
    purpose: "libFuzzer is built with it",
    apt: &["g++"],
    elsewhere: "install a C++ compiler, such as g++ or clang++, and put it into PATH (on macOS: `xcode-select --install`)",
};

/// What the official Node SDK runs on.
pub(crate) const NODE: Program = Program {
    name: "node",
    purpose: "the tests drive the local server with the official Node SDK",
    apt: &["nodejs", "npm"],
    elsewhere: "install Node.js 20 or newer from https://nodejs.org and put it into PATH",
};

/// What fetches that SDK.
pub(crate) const NPM: Program = Program {
    name: "npm",
    purpose: "the tests fetch the official Node SDK with it",
    apt: &["npm"],
    elsewhere: "install Node.js 20 or newer from https://nodejs.org, which brings npm",
};

/// What counts processor instructions.
pub(crate) const VALGRIND: Program = Program {
    name: "valgrind",
    purpose: "`cargo xtask bench instructions` counts with it",
    apt: &["valgrind"],
    elsewhere: "install valgrind, which runs on Linux (https://valgrind.org), and put it into PATH",
};

impl Program {
    /// Sees to the program: installs it where that needs no question, else says which command does.
    pub(crate) fn ensure(&self) -> Result<(), Error> {
        let Self { name, purpose, .. } = self;
        if self.is_there() {
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
            Remedy::Say(how) => {
                return Err(Error::Finding(format!(
                    "there is no `{name}` ({purpose}); {how}"
                )));
            }
        }
        if self.is_there() {
            return Ok(());
        }
        Err(Error::Finding(format!(
            "apt-get installed {}, but there is still no `{name}` in PATH",
            self.apt.join(" and ")
        )))
    }

    fn is_there(&self) -> bool {
        succeeds(Command::new(self.name).arg("--version"))
    }

    /// Only root installs without being asked to.
    fn remedy(&self, os: &str, has_apt: bool, is_root: bool) -> Remedy {
        match os {
            "linux" if has_apt && is_root => Remedy::Install,
            "linux" if has_apt => Remedy::Say(format!(
                "run `sudo apt-get update && sudo apt-get install {}`",
                self.apt.join(" ")
            )),
            _ => Remedy::Say(self.elsewhere.to_owned()),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Remedy {
    Install,
    Say(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_installs_and_everybody_else_is_told_how() {
        assert_eq!(C_COMPILER.remedy("linux", true, true), Remedy::Install);
        let told = |program: &Program, os, has_apt| match program.remedy(os, has_apt, false) {
            Remedy::Say(how) => how,
            Remedy::Install => panic!("installs without being root"),
        };
        assert!(told(&C_COMPILER, "linux", true).contains("sudo apt-get install gcc libc6-dev"));
        assert!(told(&C_COMPILER, "linux", false).contains("gcc or clang"));
        assert!(told(&C_COMPILER, "macos", false).contains("xcode-select"));
        assert!(told(&NODE, "linux", true).contains("sudo apt-get install nodejs npm"));
        assert_ne!(NODE.remedy("linux", false, true), Remedy::Install);
    }
}
