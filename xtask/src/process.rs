//! Running other programs. The one file of this crate that reads the environment.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The cargo that runs us, in the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // `cargo run` tells us about the package that we are. Build scripts that ask to be run again
    // when such a variable changes would be, at each turn between a shell and us.
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

/// Runs a program to its end, its output on our terminal.
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

/// Whether a command can be run and succeeds; for questions such as `--version`.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints, if it succeeds.
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

/// Says on stderr what comes next.
pub(crate) fn heading(text: &str) {
    eprintln!("\n==> {text}");
}

/// A command as one would type it.
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
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.toml").is_file() && root().join("xtask").is_dir());
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/bin/cargo");
        command.args(["test", "--doc"]);
        assert_eq!(shown(&command), "cargo test --doc");
    }

    #[test]
    fn a_program_that_is_not_there_does_not_succeed() {
        let mut command = Command::new("no-such-program-anywhere");
        assert!(!succeeds(&mut command));
        assert!(matches!(run(&mut command), Err(Error::Start { .. })));
    }
}
