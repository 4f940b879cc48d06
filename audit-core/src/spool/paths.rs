//! The files of a spool: permissions, quarantine and replacement.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::error::SpoolError;
use crate::event::now_millis;

/// The suffixes of SQLite's companion files: the write-ahead log, its index, and the rollback
/// journal, which only the creation of the file uses.
pub(super) const WAL: &str = "-wal";
pub(super) const WAL_INDEX: &str = "-shm";
pub(super) const JOURNAL: &str = "-journal";

/// The suffix of a file that is built to replace a corrupt one.
pub(super) const REBUILDING: &str = ".rebuilding";

/// Gives a database and its WAL a second name, which they keep once the first name is replaced.
///
/// Until then nothing has changed, so a crash in between loses nothing.
pub(super) fn quarantine(path: &Path, reason: &str) -> Result<PathBuf, SpoolError> {
    let quarantined = unused_name(path, reason);
    for suffix in [WAL, ""] {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&quarantined, suffix));
        if from.exists() {
            // Not every file system has hard links; a copy serves as well.
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).map(drop))
                .map_err(|error| SpoolError::file("quarantine", &from, error))?;
        }
    }
    Ok(quarantined)
}

/// Returns an unused name for a file that is quarantined.
pub(super) fn unused_name(path: &Path, reason: &str) -> PathBuf {
    let mut millis = now_millis();
    loop {
        let unused = with_suffix(path, &format!(".{reason}-{millis}"));
        if !unused.exists() {
            return unused;
        }
        millis += 1;
    }
}

/// Replaces a database by another, which must be closed.
///
/// The WAL of the old one is removed first: it must never be taken for the WAL of the new one.
pub(super) fn replace(path: &Path, by: &Path) -> Result<(), SpoolError> {
    for suffix in [WAL, WAL_INDEX] {
        remove_file(&with_suffix(path, suffix))?;
    }
    fs::rename(by, path).map_err(|error| SpoolError::file("replace the spool by", by, error))
}

/// Removes a database and its companion files, as far as they exist.
pub(super) fn remove(path: &Path) -> Result<(), SpoolError> {
    ["", WAL, WAL_INDEX]
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

/// Syncs the folder of a file, so that the names in it survive a loss of power.
pub(super) fn sync_folder(path: &Path) -> Result<(), SpoolError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Other systems cannot open a folder as a file.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| SpoolError::file("sync the folder", folder, error))?;
    }
    Ok(())
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
pub(super) fn create_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
pub(super) fn create_folder(folder: &Path) -> std::io::Result<()> {
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
pub(super) fn restrict(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// Does nothing: on other systems the folder's permissions protect the file.
#[cfg(not(unix))]
pub(super) fn restrict(_: &File) -> std::io::Result<()> {
    Ok(())
}
