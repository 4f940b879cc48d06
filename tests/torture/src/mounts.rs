//! Small and read-only file systems for a round, if this process may mount them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// The variable that marks a process inside its own mount namespace.
const INSIDE: &str = "AUDIT_TORTURE_MOUNTS";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mounts {
    /// Mounted tmpfs file systems, small or read-only.
    Real,
    /// File size limits of the kernel, because no mount is allowed.
    Limits,
}

impl Mounts {
    /// Returns the available means. The first call runs this program again in its own mount
    /// namespace, if one is allowed, and exits with its status.
    pub(crate) fn find() -> Result<Option<Self>, Error> {
        match inside().as_deref() {
            Some("real") => return Ok(Some(Self::Real)),
            Some(_) => return Ok(Some(Self::Limits)),
            None => {}
        }
        let flags: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
        let probe = "mount -t tmpfs -o size=1m none /mnt && mount -o remount,ro /mnt";
        let may = |flags: &&&[&str]| {
            let mut command = Command::new("unshare");
            command.args(**flags).args(["sh", "-c", probe]);
            quiet(&mut command)
        };
        let mut command = match flags.iter().find(may) {
            Some(flags) => {
                let mut command = Command::new("unshare");
                command.args(*flags).arg(this()?).env(INSIDE, "real");
                command
            }
            None => return Ok(Some(Self::Limits)),
        };
        let status = command.args(std::env::args_os().skip(1)).status();
        let status = status.map_err(Error::io("start the torture in a namespace"))?;
        std::process::exit(status.code().unwrap_or(1));
    }

    /// Describes the simulation of a full and of a read-only disk.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Real => "full disk: a small tmpfs; read-only disk: a tmpfs mounted read-only",
            Self::Limits => {
                "mounts are not permitted; full disk: RLIMIT_FSIZE; read-only disk: RLIMIT_FSIZE of 0"
            }
        }
    }

    /// Mounts a tmpfs of this size at this path.
    pub(crate) fn small_disk(folder: &Path, mebibytes: u32) -> Result<(), Error> {
        let options = format!("size={mebibytes}m,mode=0700");
        mount(&["-t", "tmpfs", "-o", &options, "none"], folder)
    }

    pub(crate) fn set_writable(folder: &Path, writable: bool) -> Result<(), Error> {
        mount(
            &["-o", if writable { "remount,rw" } else { "remount,ro" }],
            folder,
        )
    }

    pub(crate) fn unmount(folder: &Path) -> Result<(), Error> {
        done(Command::new("umount").arg(folder))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program passes its own state to its second run"
)]
fn inside() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// Returns the path of this program.
pub(crate) fn this() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(Error::io("find this program"))
}

fn mount(options: &[&str], folder: &Path) -> Result<(), Error> {
    done(Command::new("mount").args(options).arg(folder))
}

/// Runs a program; fails unless it succeeds.
pub(crate) fn done(command: &mut Command) -> Result<(), Error> {
    let output = command
        .output()
        .map_err(Error::io(format!("start {command:?}")))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Error::Other(format!("{command:?}: {}", errors.trim())))
}

fn quiet(command: &mut Command) -> bool {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
