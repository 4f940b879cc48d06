//! Access to a spool file from an operator's command, also while a service uses the file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::dead_letters::{SpooledDeadLetter, read_page};
use super::error::{ErrorKind, SpoolError};
use super::file_header::{FileKind, VERSION, identify, layout};
use super::ownership::{LockedDatabase, LockedPath, canonical, is_locked, is_owned};
use super::paths::{REBUILDING, with_suffix};
use super::rebuilds;
use super::rows::{in_order, read_event};
use super::store::Store;
use super::totals::totals;
use super::verify::{SpoolCheck, check};

/// The largest number of rows that one transaction changes, so that a service waits briefly.
const BATCH_ROWS: usize = 256;

/// The file of a [`Spool`](super::Spool), for an operator's command.
///
/// A service may use the file at the same time, in this process or another, and is not disturbed.
/// Every call blocks while it reads the file, and keeps nothing open afterwards.
///
/// ```
/// use audit_core::{Spool, SpoolFile};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.spool");
/// let spool = Spool::open(&path)?;
///
/// let file = SpoolFile::open(&path)?;
/// let status = file.status()?;
/// assert!(status.in_use && status.durable == 0);
/// for dead_letter in file.dead_letters(0, 100)? {
///     println!("{} {}", dead_letter.event.id(), dead_letter.fault);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpoolFile {
    path: PathBuf,
}

/// The content of a spool file in numbers, from [`SpoolFile::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolFileStatus {
    /// The version of the file's layout; 1 is the only one so far.
    pub layout: u32,
    /// A service, or a command that changes the file, has it open now.
    pub in_use: bool,
    /// Durable events that are not delivered yet.
    pub durable: u64,
    /// Other events that are not delivered yet, including redriven dead letters.
    pub best_effort: u64,
    /// The bytes that the pending events of both kinds occupy.
    pub pending_bytes: u64,
    /// The time at which the oldest pending event occurred; `None` if none is pending.
    pub oldest: Option<SystemTime>,
    /// Dead letters.
    pub dead: u64,
    /// The bytes that they occupy.
    pub dead_bytes: u64,
    /// Dead letters that were dropped for newer ones, since the file was created.
    pub dead_dropped: u64,
    /// Rows in which no event could be read, since the file was created.
    pub corrupt_rows: u64,
    /// Events that were lost because the file was corrupt and had to be rebuilt; a lower bound if
    /// [`is_loss_unknown`](Self::is_loss_unknown).
    pub lost: u64,
    /// A rebuild could not read how many events there had been.
    pub is_loss_unknown: bool,
}

/// The result of [`SpoolFile::redrive`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolRedrive {
    /// Dead letters that were found.
    pub dead_letters: u64,
    /// A service has the file open, and was requested to make them pending again. If it ends
    /// first, the next service does.
    pub is_requested: bool,
}

/// The locks that keep services from opening a file. Held, never read.
struct Locked {
    _paths: Vec<LockedPath>,
    _database: LockedDatabase,
}

impl SpoolFile {
    /// Opens a spool file for inspection. Never creates or changes it.
    ///
    /// # Errors
    ///
    /// The file does not exist, cannot be read or is empty; a newer version wrote it; or it is the
    /// database of another program ([`SpoolError::is_foreign`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        let path = path.as_ref();
        // Never opened as a plain file: closing it would release the locks that SQLite holds on it
        // in this process.
        let path =
            canonical(path).map_err(|error| SpoolError::file("find the spool", path, error))?;
        let file = Self { path };
        match file.read(identify)? {
            // The readable part of a corrupt file can be inspected.
            Some(FileKind::Spool | FileKind::Corrupt) => Ok(file),
            Some(other) => Err(SpoolError::unusable(&file.path, other)),
            None => Err(ErrorKind::Empty(file.path).into()),
        }
    }

    /// Returns the status of the file as of one moment.
    ///
    /// Counts the pending events; a million take some seconds.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn status(&self) -> Result<SpoolFileStatus, SpoolError> {
        let in_use = self.is_in_use()?;
        self.read(|connection| {
            // One transaction, so that all numbers are of the same moment.
            let connection = connection.unchecked_transaction()?;
            let totals = totals(&connection)?;
            let loss = rebuilds::loss(&connection)?;
            // As in the service: a value that is not an integer counts as durable.
            let (durable, best_effort): (i64, i64) = connection.query_row(
                "SELECT coalesce(sum(durable IS NOT 0), 0), coalesce(sum(durable IS 0), 0) FROM pending NOT INDEXED",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(SpoolFileStatus {
                layout: layout(&connection)?.max(0).unsigned_abs(),
                in_use,
                durable: durable.max(0).unsigned_abs(),
                best_effort: best_effort.max(0).unsigned_abs(),
                pending_bytes: totals.pending_bytes,
                oldest: oldest(&connection)?,
                dead: totals.dead,
                dead_bytes: totals.dead_bytes,
                dead_dropped: totals.dead_dropped,
                corrupt_rows: totals.corrupt_rows,
                lost: loss.lost,
                is_loss_unknown: loss.is_unknown,
            })
        })
    }

    /// Returns the dead letters in the rows after `after`, oldest first; 0 starts at the first.
    ///
    /// A page has at most `limit` dead letters and ends once it holds 1 MiB of events. An empty one
    /// means that there are no more.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::status`].
    pub fn dead_letters(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<SpooledDeadLetter>, SpoolError> {
        self.read(|connection| read_page(connection, after, limit))
    }

    /// Reads the whole file, and returns what is corrupt in it.
    ///
    /// A million events take some seconds.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn verify(&self) -> Result<SpoolCheck, SpoolError> {
        check(&self.path).map_err(|error| SpoolError::open(&self.path, error))
    }

    /// Deletes the dead letters in these rows. Returns the number of those that were found.
    ///
    /// A service that uses the file updates its counts with its next write.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or is corrupt. Groups of 256 rows that were deleted before the
    /// error stay deleted.
    pub fn purge(&self, rows: &[i64]) -> Result<u64, SpoolError> {
        let mut store = self.writable()?;
        let mut deleted = 0;
        for rows in rows.chunks(BATCH_ROWS) {
            deleted += store
                .purge(rows)
                .map_err(|error| SpoolError::disk(&error))?;
        }
        Ok(deleted)
    }

    /// Deletes all dead letters that are in the file now, including unreadable ones. Returns their
    /// number.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::purge`].
    pub fn purge_all(&self) -> Result<u64, SpoolError> {
        let mut store = self.writable()?;
        let mut all = || -> rusqlite::Result<u64> {
            // Later ones stay, so that the loop ends.
            let last = last_dead_letter(store.connection())?;
            let (mut deleted, mut after) = (0, 0);
            loop {
                let rows = dead_letter_rows(store.connection(), after, last)?;
                let Some(end) = rows.last() else {
                    return Ok(deleted);
                };
                after = *end;
                deleted += store.purge(&rows)?;
            }
        };
        all().map_err(|error| SpoolError::disk(&error))
    }

    /// Makes the dead letters in these rows pending again, in new rows and with their ids.
    ///
    /// The next service that opens the file delivers them; none can open it during the call. A
    /// service that has it open is requested to do it instead: it polls for requests every second,
    /// and counts the events as [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::purge`].
    pub fn redrive(&self, rows: &[i64]) -> Result<SpoolRedrive, SpoolError> {
        let locked = self.lock()?;
        let mut store = self.writable()?;
        let mut dead_letters = 0;
        for rows in rows.chunks(BATCH_ROWS) {
            let moved = match &locked {
                Some(_) => store.redrive(rows),
                None => store.request_redrive(rows),
            };
            dead_letters += moved.map_err(|error| SpoolError::disk(&error))?;
        }
        Ok(SpoolRedrive {
            dead_letters,
            is_requested: locked.is_none(),
        })
    }

    /// Makes all readable dead letters pending again, as [`SpoolFile::redrive`] does.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::redrive`].
    pub fn redrive_all(&self) -> Result<SpoolRedrive, SpoolError> {
        let mut all = SpoolRedrive::default();
        let mut after = 0;
        loop {
            let page = self.dead_letters(after, BATCH_ROWS)?;
            let rows: Vec<_> = page.iter().map(|dead_letter| dead_letter.row).collect();
            let Some(end) = rows.last() else {
                return Ok(all);
            };
            after = *end;
            let redriven = self.redrive(&rows)?;
            all.dead_letters += redriven.dead_letters;
            all.is_requested |= redriven.is_requested;
        }
    }

    /// Locks the file against services until the result is dropped; `None` if one has it open.
    fn lock(&self) -> Result<Option<Locked>, SpoolError> {
        let lock = || -> Result<Locked, SpoolError> {
            let now = Instant::now();
            let paths = [Some(self.path.clone()), self.path_of_newer()];
            let paths = paths.into_iter().flatten();
            Ok(Locked {
                _paths: paths
                    .map(|path| LockedPath::lock(&path, now))
                    .collect::<Result<_, _>>()?,
                _database: LockedDatabase::lock(&self.path, now)?,
            })
        };
        match lock() {
            Ok(locked) => Ok(Some(locked)),
            Err(error) if error.is_locked() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file for short transactions beside a service that uses it.
    fn writable(&self) -> Result<Store, SpoolError> {
        let store = Store::open(&self.path)
            .map_err(|error| SpoolError::open(&self.path, error))?
            .into_store(&self.path)?;
        // The last connection to a database removes its WAL, by name, when it closes. If the file
        // was rebuilt in the meantime, that would be the WAL of another file.
        store
            .connection()
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| SpoolError::open(&self.path, error))?;
        if with_suffix(&self.path, REBUILDING).exists() {
            return Err(ErrorKind::Corrupt(self.path.clone()).into());
        }
        Ok(store)
    }

    /// Returns `true` if a service has the spool open.
    ///
    /// Tests the lock, which the operating system releases after a crash.
    fn is_in_use(&self) -> Result<bool, SpoolError> {
        for path in self.lock_paths() {
            let lock = match File::open(&path) {
                Ok(lock) => lock,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(SpoolError::file("open the spool's lock file", &path, error));
                }
            };
            let is_locked = is_locked(&lock)
                .map_err(|error| SpoolError::file("test the spool's lock file", &path, error))?;
            if is_locked {
                return Ok(true);
            }
        }
        is_owned(&self.path)
            .map_err(|error| SpoolError::file("test the lock of the spool", &self.path, error))
    }

    /// Returns the paths of the locks that may protect the file.
    ///
    /// A file that is used beside that of a newer version has no lock of its own.
    fn lock_paths(&self) -> impl Iterator<Item = PathBuf> {
        [Some(self.path.clone()), self.path_of_newer()]
            .into_iter()
            .flatten()
            .map(|path| with_suffix(&path, ".lock"))
    }

    fn path_of_newer(&self) -> Option<PathBuf> {
        let layout = format!("v{VERSION}");
        let is_beside = self.path.extension().is_some_and(|end| end == &*layout);
        is_beside.then(|| self.path.with_extension(""))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SpoolError> {
        Store::read_only(&self.path)
            .and_then(|connection| work(&connection))
            .map_err(|error| SpoolError::open(&self.path, error))
    }
}

fn last_dead_letter(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(row), 0) FROM dead_letters",
        [],
        |row| row.get(0),
    )
}

fn dead_letter_rows(connection: &Connection, after: i64, last: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT row FROM dead_letters NOT INDEXED WHERE row > ?1 AND row <= ?2 ORDER BY row LIMIT ?3",
    )?;
    let mut rows = statement.query((after, last, BATCH_ROWS as i64))?;
    let (mut found, mut after) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        after = in_order(after, row.get(0)?)?;
        found.push(after);
    }
    Ok(found)
}

/// Returns the time at which the first readable event occurred.
fn oldest(connection: &Connection) -> rusqlite::Result<Option<SystemTime>> {
    let mut statement = connection.prepare("SELECT event FROM pending NOT INDEXED ORDER BY row")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(event) = read_event(row, 0) {
            return Ok(Some(event.occurred_at()));
        }
    }
    Ok(None)
}
