//! Where the spool lives: the file, its folder and permissions, the lock beside it, and names for
//! what is set aside.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{Problem, SpoolError};
use crate::event::now_millis;

/// What SQLite keeps beside a database: the log of what is not in it yet, and the index of the log.
const LOG: &str = "-wal";
const INDEX: &str = "-shm";

/// Stands behind the name of a file that is made to take the place of a damaged one.
pub(super) const REBUILDING: &str = ".rebuilding";
/// How long somebody may look whether the lock is taken, and how often it is tried again.
const LOOKS: Duration = Duration::from_millis(250);
const RETRY: Duration = Duration::from_millis(5);

/// A path that this process, and in it one spool, may write to, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Held, not read: the operating system gives the lock back when the file is closed, also after
    /// a crash.
    _lock: File,
}

impl Place {
    /// Makes the folder if there is none, and takes the lock.
    pub(super) fn take(path: &Path) -> Result<Self, SpoolError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            make_folder(folder)
                .map_err(|error| SpoolError::file("make the spool's folder", folder, error))?;
        }
        let beside = with_suffix(path, ".lock");
        let lock = private_file()
            .open(&beside)
            .map_err(|error| SpoolError::file("open the spool's lock file", &beside, error))?;
        match patiently(|| lock.try_lock()) {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Problem::Locked(path.to_owned()).into()),
            Err(TryLockError::Error(error)) => {
                Err(SpoolError::file("lock the spool by", &beside, error))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path with something behind its name.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.path, suffix)
    }
}

/// Tries to take a lock for a while: a command that only looks whether it is taken has it for an
/// instant.
pub(super) fn patiently(
    mut take: impl FnMut() -> Result<(), TryLockError>,
) -> Result<(), TryLockError> {
    let begun = Instant::now();
    loop {
        match take() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOOKS => thread::sleep(RETRY),
            other => return other,
        }
    }
}

/// Makes the file if there is none, readable by its owner alone. SQLite gives its companions the
/// permissions of the file.
pub(super) fn make_private(path: &Path) -> Result<(), SpoolError> {
    let file = private_file()
        .open(path)
        .map_err(|error| SpoolError::file("open the spool", path, error))?;
    restrict(&file).map_err(|error| SpoolError::file("restrict the permissions of", path, error))
}

/// Gives a database and its log a second name, under which it stays when the first is given to
/// another file.
///
/// Until that happens nothing has changed, so a crash in between loses nothing.
pub(super) fn set_aside(path: &Path, reason: &str) -> Result<PathBuf, SpoolError> {
    let mut millis = now_millis();
    let mut aside = with_suffix(path, &format!(".{reason}-{millis}"));
    while aside.exists() {
        millis += 1;
        aside = with_suffix(path, &format!(".{reason}-{millis}"));
    }
    for suffix in [LOG, ""] {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&aside, suffix));
        if from.exists() {
            // Not every file system has links; a copy does too.
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).map(drop))
                .map_err(|error| SpoolError::file("set aside", &from, error))?;
        }
    }
    Ok(aside)
}

/// Puts a database that is closed in the place of another. The log of the other goes first: it must
/// not be taken for the log of the one that comes.
pub(super) fn replace(path: &Path, by: &Path) -> Result<(), SpoolError> {
    for suffix in [LOG, INDEX] {
        remove_file(&with_suffix(path, suffix))?;
    }
    fs::rename(by, path).map_err(|error| SpoolError::file("put in its place", by, error))
}

/// Removes a database and its companions, as far as they are there.
pub(super) fn remove(path: &Path) -> Result<(), SpoolError> {
    ["", LOG, INDEX]
        .into_iter()
        .try_for_each(|suffix| remove_file(&with_suffix(path, suffix)))
}

pub(super) fn remove_file(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SpoolError::file("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Makes the names in the file's folder outlive a loss of power.
pub(super) fn sync_folder(path: &Path) -> Result<(), SpoolError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Only where folders can be opened.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| SpoolError::file("write the folder", folder, error))?;
    }
    Ok(())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

pub(super) fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn restrict(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// Elsewhere the folder's permissions are what protects the file.
#[cfg(not(unix))]
fn restrict(_: &File) -> std::io::Result<()> {
    Ok(())
}
