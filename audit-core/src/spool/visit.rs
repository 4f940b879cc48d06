//! Looking at a spool from outside: from a command of an operator, also while a service uses the
//! file.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::damage::in_order;
use super::dead::{SpooledLetter, letters};
use super::error::{Problem, SpoolError};
use super::identity::{Identity, VERSION, identify, layout};
use super::place::{Place, REBUILDING, with_suffix};
use super::store::{Store, read_event};
use super::totals::totals;
use super::verify::{SpoolCheck, check};

/// How many rows one transaction changes, so that a service never waits for long.
const BATCH_ROWS: usize = 256;

/// The file of a [`Spool`](super::Spool), seen from outside: what an operator's command needs. A
/// service may use the file meanwhile, in this process or another, and is not disturbed.
///
/// Every call blocks while it reads the file, and holds nothing open afterwards.
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
/// for letter in file.dead_letters(0, 100)? {
///     println!("{} {}", letter.event.id(), letter.fault);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpoolFile {
    path: PathBuf,
}

/// What stands in a spool's file, see [`SpoolFile::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolFileStatus {
    /// The layout of the file; 1 is the only one so far.
    pub layout: u32,
    /// Whether a service, or a command that changes the file, has it open now.
    pub in_use: bool,
    /// Events that are not delivered yet and were recorded as durable.
    pub durable: u64,
    /// The other events that are not delivered yet; dead letters that were sent again are among
    /// them.
    pub best_effort: u64,
    /// The bytes that pending events occupy, of both kinds.
    pub pending_bytes: u64,
    /// When the event happened that has been in the file for the longest; none if none is pending.
    pub oldest: Option<SystemTime>,
    /// Dead letters.
    pub dead: u64,
    /// The bytes that they occupy.
    pub dead_bytes: u64,
    /// Dead letters that made room for newer ones, since the file was made.
    pub dead_dropped: u64,
    /// Rows in which no event could be read any more, since the file was made.
    pub damaged: u64,
}

/// What [`SpoolFile::redrive`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolRedrive {
    /// How many dead letters were there.
    pub letters: u64,
    /// A service has the file open, and was asked to make them pending again. If it ends before it
    /// does, the next one does it.
    pub is_asked: bool,
}

impl SpoolFile {
    /// A visit to the spool in this file. Nothing is made where there is none, and nothing is
    /// changed.
    ///
    /// # Errors
    ///
    /// There is no file, it cannot be read, it is empty or the database of another program
    /// ([`SpoolError::is_foreign`]), or a newer version wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        let path = path.as_ref();
        // Never opened as a plain file: closing it would give up the locks that SQLite holds on it
        // in this process.
        fs::metadata(path).map_err(|error| SpoolError::file("find the spool", path, error))?;
        let visited = Self {
            path: path.to_owned(),
        };
        match visited.read(identify)? {
            // What is left of a damaged one can be looked at.
            Some(Identity::Spool | Identity::Corrupt) => Ok(visited),
            Some(other) => Err(SpoolError::unfit(path, other)),
            None => Err(Problem::Empty(path.to_owned()).into()),
        }
    }

    /// What stands in the file, as of one moment. Counts the pending events: a million take some
    /// seconds.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn status(&self) -> Result<SpoolFileStatus, SpoolError> {
        let in_use = self.is_in_use()?;
        self.read(|connection| {
            // One moment for all that is read.
            let connection = connection.unchecked_transaction()?;
            let totals = totals(&connection)?;
            // As the service counts them: what is no number any more is durable.
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
                damaged: totals.damaged,
            })
        })
    }

    /// The dead letters in the rows behind `after`, oldest first: at most `limit`, and no more when
    /// they reach a mebibyte. None means that there are no more. The first are behind row 0.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::status`].
    pub fn dead_letters(&self, after: i64, limit: usize) -> Result<Vec<SpooledLetter>, SpoolError> {
        self.read(|connection| letters(connection, after, limit))
    }

    /// Reads all of the file and says what is wrong with it. A million events take some seconds.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn verify(&self) -> Result<SpoolCheck, SpoolError> {
        check(&self.path).map_err(|error| SpoolError::open(&self.path, error))
    }

    /// Forgets the dead letters in these rows; how many of them were there. A service that uses the
    /// file counts them as gone with the next thing that it writes.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or is damaged. What was forgotten before, in groups of 256,
    /// stays so.
    pub fn purge(&self, rows: &[i64]) -> Result<u64, SpoolError> {
        let mut store = self.writable()?;
        let mut gone = 0;
        for rows in rows.chunks(BATCH_ROWS) {
            gone += store
                .purge(rows)
                .map_err(|error| SpoolError::disk(&error))?;
        }
        Ok(gone)
    }

    /// Forgets all dead letters that are in the file at this moment, also those that cannot be
    /// read; how many there were.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::purge`].
    pub fn purge_all(&self) -> Result<u64, SpoolError> {
        let mut store = self.writable()?;
        let mut all = || -> rusqlite::Result<u64> {
            // Those that come meanwhile stay, so that this ends.
            let last = last_letter(store.connection())?;
            let (mut gone, mut after) = (0, 0);
            loop {
                let rows = letter_rows(store.connection(), after, last)?;
                let Some(end) = rows.last() else {
                    return Ok(gone);
                };
                after = *end;
                gone += store.purge(&rows)?;
            }
        };
        all().map_err(|error| SpoolError::disk(&error))
    }

    /// Makes the dead letters in these rows pending again, in new rows and with their ids. The next
    /// service that opens the file delivers them, and none can open it meanwhile. A service that
    /// has it open is asked to do it: it looks every second, and counts them as
    /// [recovered](crate::Stats::recovered).
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::purge`].
    pub fn redrive(&self, rows: &[i64]) -> Result<SpoolRedrive, SpoolError> {
        let places = self.take()?;
        let mut store = self.writable()?;
        let mut letters = 0;
        for rows in rows.chunks(BATCH_ROWS) {
            let moved = match &places {
                Some(_) => store.redrive(rows),
                None => store.request(rows),
            };
            letters += moved.map_err(|error| SpoolError::disk(&error))?;
        }
        Ok(SpoolRedrive {
            letters,
            is_asked: places.is_none(),
        })
    }

    /// The same with all dead letters that can be read.
    ///
    /// # Errors
    ///
    /// As [`SpoolFile::redrive`].
    pub fn redrive_all(&self) -> Result<SpoolRedrive, SpoolError> {
        let mut all = SpoolRedrive::default();
        let mut after = 0;
        loop {
            let letters = self.dead_letters(after, BATCH_ROWS)?;
            let rows: Vec<_> = letters.iter().map(|letter| letter.row).collect();
            let Some(end) = rows.last() else {
                return Ok(all);
            };
            after = *end;
            let redriven = self.redrive(&rows)?;
            all.letters += redriven.letters;
            all.is_asked |= redriven.is_asked;
        }
    }

    /// Keeps services from opening the file until what is returned is dropped; none if one has it
    /// open.
    fn take(&self) -> Result<Option<Vec<Place>>, SpoolError> {
        let mut places = Vec::new();
        for path in [Some(self.path.clone()), self.path_of_newer()]
            .into_iter()
            .flatten()
        {
            match Place::take(&path) {
                Ok(place) => places.push(place),
                Err(error) if error.is_locked() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(places))
    }

    /// The file, to be changed in short transactions beside whoever uses it.
    fn writable(&self) -> Result<Store, SpoolError> {
        let store = Store::open(&self.path)
            .map_err(|error| SpoolError::open(&self.path, error))?
            .map_err(|other| SpoolError::unfit(&self.path, other))?;
        // The last who closes a database removes its log, by its name. Were the file made anew
        // meanwhile, that would be the log of another.
        store
            .connection()
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| SpoolError::open(&self.path, error))?;
        if with_suffix(&self.path, REBUILDING).exists() {
            return Err(Problem::Damaged(self.path.clone()).into());
        }
        Ok(store)
    }

    /// Whether somebody has the spool open. Sees it by the lock, which the operating system gives
    /// back after a crash.
    fn is_in_use(&self) -> Result<bool, SpoolError> {
        for beside in self.locks() {
            let lock = match File::open(&beside) {
                Ok(lock) => lock,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(SpoolError::file(
                        "open the spool's lock file",
                        &beside,
                        error,
                    ));
                }
            };
            // Shared, so that two who look do not take each other for a service.
            match lock.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(true),
                Err(TryLockError::Error(error)) => {
                    return Err(SpoolError::file(
                        "look at the spool's lock file",
                        &beside,
                        error,
                    ));
                }
            }
        }
        Ok(false)
    }

    /// Where the lock may be: a file that is used beside that of a newer version has no lock of its
    /// own.
    fn locks(&self) -> impl Iterator<Item = PathBuf> {
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

fn last_letter(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(row), 0) FROM dead", [], |row| {
        row.get(0)
    })
}

fn letter_rows(connection: &Connection, after: i64, last: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT row FROM dead NOT INDEXED WHERE row > ?1 AND row <= ?2 ORDER BY row LIMIT ?3",
    )?;
    let mut rows = statement.query((after, last, BATCH_ROWS as i64))?;
    let (mut found, mut after) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        after = in_order(after, row.get(0)?)?;
        found.push(after);
    }
    Ok(found)
}

/// When the first event that can be read happened.
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
