//! Exclusive ownership of a spool: the path, resolved once, and the locks that protect it.
//!
//! Two locks are taken, and both are released by the operating system after a crash. The one on
//! the `.lock` file protects the name, also while the database is replaced by a rebuilt one. The
//! one on the database protects the file under all of its names (hard links), and also when the
//! `.lock` file is removed.
//!
//! The database is locked on Linux only. There, `flock` and the `fcntl` locks that SQLite takes on
//! the same file are independent. On macOS and the BSDs they exclude each other, and on Windows
//! the lock would refuse SQLite's own reads. On those systems the resolved path and the `.lock`
//! file exclude other processes; a hard link, or a removed `.lock` file, is not detected there.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{ErrorKind, Holder, SpoolError};
use super::paths::{create_folder, private_file, restrict, with_suffix};

/// The shortest wait for a lock, and the time between two attempts.
///
/// A command that only tests if the lock is taken holds it for an instant.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_millis(250);
const LOCK_RETRY: Duration = Duration::from_millis(5);
/// The longest chain of links that is followed, as in the kernel.
const MAX_LINKS: usize = 40;
/// Databases can be locked without disturbing SQLite, see the module.
const LOCKS_DATABASES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The databases that spools of this process own.
///
/// A database that is in use must not even be opened and closed as a plain file: that would
/// release every `fcntl` lock which SQLite holds on it in this process.
static OWNED: Mutex<Vec<FileId>> = Mutex::new(Vec::new());

/// The identity of a file, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity; `None` on systems without one.
    #[cfg(unix)]
    pub(super) fn of(file: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// Returns the identity of the file with this name; `None` if there is none.
    pub(super) fn at(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().as_ref().and_then(Self::of)
    }
}

/// Returns the absolute path of the file that a path names, without links in it.
///
/// The file does not have to exist, nor does its folder, which is created.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, SpoolError> {
    let failed = |error| SpoolError::file("resolve the spool's path", path, error);
    let invalid = |why| failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    let mut resolved = std::path::absolute(path).map_err(failed)?;
    for _ in 0..MAX_LINKS {
        let (Some(folder), Some(name)) = (resolved.parent(), resolved.file_name()) else {
            return Err(invalid("it names no file; add the name of a file"));
        };
        create_folder(folder)
            .map_err(|error| SpoolError::file("create the spool's folder", folder, error))?;
        let folder = canonical(folder).map_err(failed)?;
        let file = folder.join(name);
        match fs::read_link(&file) {
            // A relative target is relative to the folder of the link.
            Ok(target) => resolved = folder.join(target),
            Err(_) => return Ok(file),
        }
    }
    Err(invalid("it is a chain of too many links"))
}

/// Returns the absolute path of a file or folder that exists, without links in it.
pub(super) fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    if cfg!(windows) {
        // The canonical form there is a verbatim path, which few programs accept.
        return std::path::absolute(path);
    }
    fs::canonicalize(path)
}

/// A path that one spool of one process may write to, until it is dropped.
#[derive(Debug)]
pub(super) struct LockedPath {
    path: PathBuf,
    lock: File,
}

impl LockedPath {
    /// Resolves the path, creates its folder, and takes the lock, waiting until the deadline.
    pub(super) fn lock(path: &Path, deadline: Instant) -> Result<Self, SpoolError> {
        let path = resolve(path)?;
        let lock = take_lock_file(&path, deadline)?;
        Ok(Self { path, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path with a suffix.
    pub(super) fn with_suffix(&self, suffix: &str) -> PathBuf {
        with_suffix(&self.path, suffix)
    }

    /// Names this process in the lock file, for the error of the next one.
    pub(super) fn write_holder(&mut self) {
        let mut write = || -> std::io::Result<()> {
            self.lock.set_len(0)?;
            self.lock.seek(SeekFrom::Start(0))?;
            write!(self.lock, "{}", std::process::id())
        };
        // Without space on the disk the holder is unknown, and the lock holds nevertheless.
        drop(write());
    }

    /// Takes the lock again if the lock file was removed or replaced.
    ///
    /// An error means that another process may own the path by now.
    pub(super) fn renew(&mut self) -> Result<(), SpoolError> {
        let held = self.lock.metadata().ok().as_ref().and_then(FileId::of);
        if held == FileId::at(&with_suffix(&self.path, ".lock")) {
            return Ok(());
        }
        self.lock = take_lock_file(&self.path, Instant::now())?;
        Ok(())
    }
}

fn take_lock_file(path: &Path, deadline: Instant) -> Result<File, SpoolError> {
    let lock_path = with_suffix(path, ".lock");
    let failed = |action, error| SpoolError::file(action, &lock_path, error);
    let mut lock = private_file()
        .open(&lock_path)
        .map_err(|error| failed("open the spool's lock file", error))?;
    match retry_lock(deadline, || lock.try_lock()) {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ErrorKind::Locked {
            path: path.to_owned(),
            holder: read_holder(&mut lock),
        }
        .into()),
        Err(TryLockError::Error(error)) => Err(failed("lock the spool by", error)),
    }
}

/// Reads the process that took the lock. Earlier versions did not write it.
fn read_holder(lock: &mut File) -> Holder {
    let mut text = String::new();
    match lock.take(16).read_to_string(&mut text) {
        Ok(_) => text.trim().parse().map_or(Holder::Unknown, Holder::of),
        Err(_) => Holder::Unknown,
    }
}

/// The database of a spool, locked under all of its names until this is dropped.
#[derive(Debug)]
pub(super) struct LockedDatabase {
    file: File,
    id: Option<FileId>,
}

impl LockedDatabase {
    /// Creates the file if it does not exist, readable by its owner only, and locks it.
    ///
    /// SQLite gives its companion files the permissions of the file.
    pub(super) fn lock(path: &Path, deadline: Instant) -> Result<Self, SpoolError> {
        let mut holder = Holder::Unknown;
        let mut locked = None;
        let result = retry_lock(deadline, || {
            locked = try_lock_database(path, &mut holder).map_err(TryLockError::Error)?;
            locked.as_ref().map(drop).ok_or(TryLockError::WouldBlock)
        });
        match (result, locked) {
            (Ok(()), Some(locked)) => Ok(locked),
            (Err(TryLockError::Error(error)), _) => {
                Err(SpoolError::file("open and lock the spool", path, error))
            }
            (Ok(()) | Err(TryLockError::WouldBlock), _) => Err(ErrorKind::Locked {
                path: path.to_owned(),
                holder,
            }
            .into()),
        }
    }

    pub(super) fn id(&self) -> Option<FileId> {
        self.id
    }

    /// Returns `true` if the file has no name any more.
    #[cfg(unix)]
    pub(super) fn is_removed(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        self.file.metadata().is_ok_and(|file| file.nlink() == 0)
    }

    /// Returns `false`: on other systems an open file keeps its name.
    #[cfg(not(unix))]
    pub(super) fn is_removed(&self) -> bool {
        false
    }

    /// Copies the bytes of the file, which may have no name any more.
    pub(super) fn copy_to(&self, path: &Path) -> std::io::Result<()> {
        let mut source = &self.file;
        source.seek(SeekFrom::Start(0))?;
        let mut copy = private_file().open(path)?;
        std::io::copy(&mut source, &mut copy)?;
        copy.sync_all()
    }

    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }
}

impl Drop for LockedDatabase {
    fn drop(&mut self) {
        let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
        owned.retain(|id| Some(*id) != self.id);
    }
}

/// Returns `None` if the file is in use.
fn try_lock_database(path: &Path, holder: &mut Holder) -> std::io::Result<Option<LockedDatabase>> {
    let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
    if FileId::at(path).is_some_and(|id| owned.contains(&id)) {
        *holder = Holder::of(std::process::id());
        return Ok(None);
    }
    let file = private_file().open(path)?;
    let id = FileId::of(&file.metadata()?);
    restrict(&file)?;
    if LOCKS_DATABASES {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    // Its previous owner may have replaced it just before.
    if id.is_some() && FileId::at(path) != id {
        return Ok(None);
    }
    owned.extend(id);
    Ok(Some(LockedDatabase { file, id }))
}

/// Returns `true` if a spool, of this process or another, owns the file under any of its names.
///
/// Detects on Linux, and within this process, what the lock file does not show.
pub(super) fn is_owned(path: &Path) -> std::io::Result<bool> {
    let owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
    if FileId::at(path).is_some_and(|id| owned.contains(&id)) {
        return Ok(true);
    }
    if !LOCKS_DATABASES {
        return Ok(false);
    }
    is_locked(&File::open(path)?)
}

/// Returns `true` if another handle of the file holds its lock.
pub(super) fn is_locked(file: &File) -> std::io::Result<bool> {
    // Shared, so that two commands do not take each other for a service.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Retries to take a lock until the deadline, and at least for [`LOCK_TIMEOUT`].
pub(super) fn retry_lock(
    deadline: Instant,
    mut try_lock: impl FnMut() -> Result<(), TryLockError>,
) -> Result<(), TryLockError> {
    let deadline = deadline.max(Instant::now() + LOCK_TIMEOUT);
    loop {
        match try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(LOCK_RETRY);
            }
            other => return other,
        }
    }
}
