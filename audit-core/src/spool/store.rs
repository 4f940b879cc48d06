//! The open database: its settings, its transactions, and the pages read from it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use super::dead_letters::{self, SpooledDeadLetter};
use super::error::SpoolError;
use super::file_header::{FileKind, identify_or_create};
use super::rows::{
    AttemptMark, DeadLetterEntry, Guarantee, MAX_ROW, MissingEvent, NewEvent, Page, PendingRow,
    SpooledEvent,
};
use super::totals::{Change, Totals, totals};
use super::{corrupt_rows, pending};

/// The longest wait for another process that reads the file, such as an operator's command.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The size to which the write-ahead log (WAL) is truncated after a checkpoint.
const WAL_BYTES: i64 = 8 * 1024 * 1024;
/// Prepared statements kept in the cache; there are about twenty.
const STATEMENTS: usize = 32;

/// The contents of one group commit.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Rows of a failed transaction, each with the event that it would hold. None may remain.
    pub(super) retracted: Vec<(i64, Vec<u8>)>,
    pub(super) appends: Vec<NewEvent>,
    /// Attempts that began, or certainly did not reach the sink.
    pub(super) attempts: Vec<(PendingRow, AttemptMark)>,
    pub(super) dead_letters: Vec<DeadLetterEntry>,
    /// Delivered events.
    pub(super) acknowledged: Vec<PendingRow>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.retracted.is_empty()
            && self.appends.is_empty()
            && self.attempts.is_empty()
            && self.dead_letters.is_empty()
            && self.acknowledged.is_empty()
    }
}

/// The result of a group commit.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// The row ids of the appended events, in their order.
    pub(super) rows: Vec<i64>,
    /// Delivered and rejected events that were not in their rows.
    pub(super) missing: Vec<MissingEvent>,
}

/// A failed group commit, with the row ids that its events would have had.
#[derive(Debug)]
pub(super) struct FailedCommit {
    pub(super) error: rusqlite::Error,
    pub(super) rows: Vec<i64>,
}

/// The result of opening a file.
#[derive(Debug)]
pub(super) enum Opened {
    Spool(Store),
    /// A spool in the layout of a newer version.
    Newer(i32),
    /// A database of another program.
    Foreign,
    /// A spool whose header or row ids are corrupt.
    Corrupt,
}

impl Opened {
    /// Returns the store, or an error for a file that is not a usable spool.
    pub(super) fn into_store(self, path: &Path) -> Result<Store, SpoolError> {
        let kind = match self {
            Self::Spool(store) => return Ok(store),
            Self::Newer(layout) => FileKind::Newer(layout),
            Self::Foreign => FileKind::Foreign,
            Self::Corrupt => FileKind::Corrupt,
        };
        Err(SpoolError::unusable(path, kind))
    }
}

#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
}

impl Store {
    /// Opens the file, and creates the tables if it is empty.
    ///
    /// A file that is not a spool of this version is never changed.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Opened> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        match identify_or_create(&mut connection)? {
            FileKind::Spool => {}
            FileKind::Newer(layout) => return Ok(Opened::Newer(layout)),
            FileKind::Foreign => return Ok(Opened::Foreign),
            FileKind::Corrupt => return Ok(Opened::Corrupt),
        }
        // Only after the tables are in the main file, so that losing the WAL cannot lose them.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))?;
        // Corruption is then reported where it is read, before its consequences.
        connection.pragma_update(None, "cell_size_check", true)?;
        let store = Self {
            connection,
            #[cfg(test)]
            faults: super::faults::Faults::default(),
        };
        store.totals()?;
        // The largest possible row id has no successor, so such a file would accept no more events.
        if store.last_row_id()? > MAX_ROW {
            return Ok(Opened::Corrupt);
        }
        Ok(Opened::Spool(store))
    }

    /// Opens a file for reading.
    pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    }

    /// Commits the whole group or nothing. On success it is on disk.
    pub(super) fn commit(
        &mut self,
        group: &Group,
        max_dead_bytes: u64,
    ) -> Result<Committed, FailedCommit> {
        let mut committed = Committed::default();
        let result = self.transact(|tx, change| {
            write(tx, change, group, &mut committed)?;
            dead_letters::make_room(tx, change, max_dead_bytes)
        });
        match result {
            Ok(()) => Ok(committed),
            Err(error) => Err(FailedCommit {
                error,
                rows: committed.rows,
            }),
        }
    }

    /// Runs `work` in a transaction, and adds its changes to the totals.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut Change) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut change = Change::default();
        let value = work(&tx, &mut change)?;
        change.apply(&tx)?;
        #[cfg(test)]
        self.faults.before_commit()?;
        tx.commit()?;
        #[cfg(test)]
        self.faults.after_commit()?;
        Ok(value)
    }

    pub(super) fn totals(&self) -> rusqlite::Result<Totals> {
        totals(&self.connection)
    }

    /// Reads the pending events of one guarantee after a row, oldest first.
    ///
    /// A row in which no event can be read is moved to the corrupt rows and counted.
    pub(super) fn load(
        &mut self,
        guarantee: Guarantee,
        after: i64,
        limit: usize,
    ) -> rusqlite::Result<Page> {
        let (page, unreadable) = pending::read_page(&self.connection, guarantee, after, limit)?;
        if !unreadable.is_empty() {
            self.transact(|tx, change| {
                unreadable
                    .iter()
                    .try_for_each(|row| corrupt_rows::move_pending(tx, change, *row))
            })?;
        }
        Ok(page)
    }

    /// Reads the pending events in these rows; those that are gone or unreadable are left out.
    pub(super) fn load_rows(&self, rows: &[i64]) -> rusqlite::Result<Vec<SpooledEvent>> {
        rows.iter()
            .filter_map(|row| pending::read(&self.connection, *row).transpose())
            .collect()
    }

    /// Reads at most `limit` pending events of both guarantees from a place between the oldest, 0,
    /// and the newest, 1.
    pub(super) fn sample(&self, place: f64, limit: usize) -> rusqlite::Result<Page> {
        pending::sample(&self.connection, place, limit)
    }

    /// Returns the time at which the oldest pending event was recorded.
    pub(super) fn oldest_millis(&self) -> rusqlite::Result<Option<u64>> {
        pending::oldest_millis(&self.connection)
    }

    /// Reads the dead letters after a row, oldest first.
    pub(super) fn dead_letters(
        &self,
        after: i64,
        limit: usize,
    ) -> rusqlite::Result<Vec<SpooledDeadLetter>> {
        dead_letters::read_page(&self.connection, after, limit)
    }

    /// Makes dead letters pending again. Returns the number of those that were found.
    pub(super) fn redrive(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, change| dead_letters::redrive(tx, change, rows))
    }

    /// Deletes dead letters. Returns the number of those that were found.
    pub(super) fn purge(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, change| dead_letters::purge(tx, change, rows))
    }

    /// Returns the row id of the newest pending event.
    pub(super) fn last_pending_row(&self) -> rusqlite::Result<i64> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(row) FROM pending")?
            .query_row([], |row| row.get(0))?;
        Ok(last.unwrap_or(0))
    }

    /// Commits a transaction that changes nothing, to test if the disk accepts writes.
    pub(super) fn probe(&mut self) -> rusqlite::Result<()> {
        self.transact(|tx, _| tx.execute("UPDATE totals SET id = 1", []).map(drop))
    }

    /// Returns the largest row id that a pending event ever had.
    pub(super) fn last_row_id(&self) -> rusqlite::Result<i64> {
        let sequence = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'pending'";
        self.connection.query_row(sequence, [], |row| row.get(0))
    }

    /// Makes the next row id of a pending event larger than `last`.
    pub(super) fn continue_row_ids_after(&mut self, last: i64) -> rusqlite::Result<()> {
        if self.last_row_id()? >= last {
            return Ok(());
        }
        let tx = self.connection.transaction()?;
        tx.execute("DELETE FROM sqlite_sequence WHERE name = 'pending'", [])?;
        tx.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('pending', ?1)",
            [last],
        )?;
        tx.commit()
    }

    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) -> rusqlite::Result<()> {
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Copies the whole database, as this connection sees it, into an empty file.
    pub(super) fn copy_into(&self, path: &Path) -> rusqlite::Result<()> {
        // A path that is not UTF-8 is an error, after which the rows are copied one by one.
        let name = path
            .to_str()
            .ok_or_else(|| rusqlite::Error::InvalidPath(path.to_owned()))?;
        self.connection.execute("VACUUM INTO ?1", [name]).map(drop)
    }

    /// Moves what it can of the WAL into the main file without waiting for readers. If that is all
    /// of it, the WAL is truncated.
    pub(super) fn shorten_wal(&mut self) -> rusqlite::Result<()> {
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        let (frames, moved): (i64, i64) = self
            .connection
            .query_row(checkpoint, [], |row| Ok((row.get(1)?, row.get(2)?)))?;
        if frames == moved {
            // The next transaction begins the WAL again.
            self.probe()?;
        }
        Ok(())
    }

    /// Moves the content of the WAL into the main file, and truncates the WAL.
    pub(super) fn truncate_wal(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Returns `true` if this row is pending and holds these bytes.
    pub(super) fn contains(&self, row: i64, packed: &[u8]) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM pending WHERE row = ?1 AND event = ?2")?
            .exists(params![row, packed])
    }

    /// Releases at most `pages` unused pages to the file system, if there are more than `spare`.
    pub(super) fn release_pages(&self, spare: u32, pages: u32) -> rusqlite::Result<()> {
        let free: i64 = self
            .connection
            .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free <= i64::from(spare) {
            return Ok(());
        }
        let mut statement = self
            .connection
            .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

fn write(
    tx: &Transaction<'_>,
    change: &mut Change,
    group: &Group,
    committed: &mut Committed,
) -> rusqlite::Result<()> {
    for (row, packed) in &group.retracted {
        pending::retract(tx, change, *row, packed)?;
    }
    for event in &group.appends {
        committed.rows.push(pending::append(tx, change, event)?);
    }
    for (row, mark) in &group.attempts {
        // The row of an event that is acknowledged in the same group is deleted anyway.
        if !group.acknowledged.contains(row) {
            pending::mark_attempt(tx, row, *mark)?;
        }
    }
    for entry in &group.dead_letters {
        if !dead_letters::add(tx, change, entry)? {
            committed.missing.extend(MissingEvent::rejected(entry));
        }
    }
    for row in &group.acknowledged {
        if !pending::delete(tx, change, row)? {
            committed.missing.push(MissingEvent::delivered(row.id));
        }
    }
    Ok(())
}
