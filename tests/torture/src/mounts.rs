//! File systems of a round's own, where this process may mount some.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// Says that this process stands in a namespace of its own.
const INSIDE: &str = "AUDIT_TORTURE_MOUNTS";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mounts {
    /// A tmpfs of some mebibytes, and one that is mounted read-only.
    Real,
    /// No mount is allowed here: the kernel's limit of a file's size takes their place.
    Limits,
}

impl Mounts {
    /// What there is. The first time it starts this program once more, in a namespace of its own if
    /// it may have one, and `None` means that it ran there.
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

    /// What stands for a full and for a read-only disk.
    pub(crate) fn means(self) -> &'static str {
        match self {
            Self::Real => "a full disk is a small tmpfs, a read-only one a tmpfs mounted so",
            Self::Limits => {
                "nothing may be mounted here: a full disk is RLIMIT_FSIZE, a read-only one RLIMIT_FSIZE of 0"
            }
        }
    }

    /// A disk of so many mebibytes at this path.
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
    reason = "how this process was started by itself"
)]
fn inside() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// This program.
pub(crate) fn this() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(Error::io("find this program"))
}

fn mount(options: &[&str], folder: &Path) -> Result<(), Error> {
    done(Command::new("mount").args(options).arg(folder))
}

/// Runs a program to its end, which has to be a good one.
pub(crate) fn done(command: &mut Command) -> Result<(), Error> {
    let output = command
        .output()
        .map_err(Error::io(format!("start {command:?}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::Other(format!("{command:?}: {}", said.trim())))
}

fn quiet(command: &mut Command) -> bool {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
