//! Runs other programs. No other file of this crate reads the environment.

use std::env;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Returns a command for the cargo that runs xtask, in the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // `cargo run` sets variables about the package xtask. A build script that is run again when
    // such a variable changes would run at each switch between a shell and xtask.
    for (name, _) in env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || name == "CARGO_PRIMARY_PACKAGE"
        });
        if is_ours {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Returns a folder outside of the repository, the same at each run, for what must not find the
/// repository above it.
pub(crate) fn scratch(purpose: &str) -> PathBuf {
    // Another checkout of the repository has another.
    let mut hasher = DefaultHasher::new();
    root().hash(&mut hasher);
    let name = format!("audited-{purpose}-{:016x}", hasher.finish());
    env::temp_dir().join(name)
}

/// Runs a program to its end, with its output on this terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    heading(&shown(command));
    let status = command.status().map_err(|source| Error::Start {
        command: shown(command),
        source,
    })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        command: shown(command),
        status,
    })
}

/// Returns `true` if a command can be run and succeeds; for probes such as `--version`.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the output of a program that succeeds.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Error> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            command: shown(command),
            source,
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Failed {
        command: shown(command),
        status: output.status,
    })
}

/// Prints a heading for the next step on stderr.
pub(crate) fn heading(text: &str) {
    eprintln!("\n==> {text}");
}

/// Returns a command as typed in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program
        .file_stem()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_holds_the_workspace() {
        assert!(root().join("Cargo.toml").is_file() && root().join("xtask").is_dir());
    }

    #[test]
    fn command_is_shown_as_typed() {
        let mut command = Command::new("/opt/bin/cargo");
        command.args(["test", "--doc"]);
        assert_eq!(shown(&command), "cargo test --doc");
    }

    #[test]
    fn missing_program_does_not_succeed() {
        let mut command = Command::new("no-such-program-anywhere");
        assert!(!succeeds(&mut command));
        assert!(matches!(run(&mut command), Err(Error::Start { .. })));
    }
}
