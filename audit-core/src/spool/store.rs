//! The database: what is written in one transaction, and what is read from it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Row, Transaction, TransactionBehavior, params,
};

use super::damage::{Missing, in_order};
use super::dead::Burial;
use super::identity::{Identity, MAX_ROW, prepare};
use super::totals::{Change, Totals, totals};
use crate::event::{Event, EventId, ID_AT};
use crate::spool::dead;

/// How long to wait for another process that looks at the file, such as a command of an operator.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The log is cut to this when its content has moved into the file.
const LOG_BYTES: i64 = 8 * 1024 * 1024;
/// Statements kept prepared; there are about twenty.
const STATEMENTS: usize = 32;
/// A page of events that are read ends here, so that events of any size take bounded memory.
const PAGE_BYTES: usize = 1024 * 1024;
/// Or after so many rows, of whatever guarantee.
const PAGE_ROWS: usize = 4_096;

/// When the spool keeps a promise about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarantee {
    /// Written when there is time; a crash can take what was accepted just before.
    BestEffort,
    /// On disk before anybody is told so.
    Durable,
}

/// An event to be written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) guarantee: Guarantee,
    pub(super) packed: Vec<u8>,
}

/// A pending event, by the row from which it was read and by its id. Where the number of a row was
/// damaged, the row is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRow {
    pub(super) row: i64,
    pub(super) id: EventId,
}

/// An event that was read.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    /// Its number, greater than that of any event written before.
    pub(crate) row: i64,
    pub(crate) event: Event,
    /// When an attempt first left open whether the event was taken, in milliseconds since 1970.
    pub(crate) first_attempt: Option<u64>,
}

/// Events that were read.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<Spooled>,
    /// The last row that was looked at.
    pub(crate) after: i64,
    /// Whether there is none behind it.
    pub(crate) is_last: bool,
}

/// What is done in one transaction.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Rows of a transaction that failed, which has to leave nothing behind; each with what would
    /// stand in it.
    pub(super) retracted: Vec<(i64, Vec<u8>)>,
    pub(super) appends: Vec<Entry>,
    /// What was tried, and when the first attempt was that left open whether it was taken.
    pub(super) attempts: Vec<(PendingRow, u64)>,
    pub(super) burials: Vec<Burial>,
    /// What was delivered.
    pub(super) acknowledged: Vec<PendingRow>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.retracted.is_empty()
            && self.appends.is_empty()
            && self.attempts.is_empty()
            && self.burials.is_empty()
            && self.acknowledged.is_empty()
    }
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// The numbers of the appended events, in their order.
    pub(super) rows: Vec<i64>,
    /// What was to be ended and was not in its row.
    pub(super) missing: Vec<Missing>,
}

#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
}

impl Store {
    /// Opens the file, and makes the tables if it is empty. A file that is no spool of this version
    /// is not changed.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Result<Self, Identity>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        match prepare(&mut connection)? {
            Identity::Spool => {}
            other => return Ok(Err(other)),
        }
        // The tables stand in the file before there is a log, so that no loss of the log takes
        // them.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
        // Damage shows where it is read, not where it has led to.
        connection.pragma_update(None, "cell_size_check", true)?;
        let store = Self {
            connection,
            #[cfg(test)]
            faults: super::faults::Faults::default(),
        };
        store.totals()?;
        // From the greatest number there is no next one, so such a file would take no event any
        // more.
        if store.last_number()? > MAX_ROW {
            return Ok(Err(Identity::Corrupt));
        }
        Ok(Ok(store))
    }

    /// Opens a file to look at, which is not changed.
    pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    }

    /// Does all of the group or nothing; when it returns, what it did is on the disk.
    pub(super) fn commit(
        &mut self,
        group: &Group,
        max_dead_bytes: u64,
    ) -> Result<Committed, Failed> {
        let mut committed = Committed::default();
        let done = self.transact(|tx, change| {
            write(tx, change, group, &mut committed)?;
            dead::make_room(tx, change, max_dead_bytes)
        });
        match done {
            Ok(()) => Ok(committed),
            Err(error) => Err(Failed {
                error,
                rows: committed.rows,
            }),
        }
    }

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

    /// The events of one guarantee behind a row, oldest first. A row in which no event can be read
    /// is moved away and counted.
    ///
    /// The table is read in its own order. An index by guarantee would be faster among rows of the
    /// other, and would, where it is damaged, hide rows without an error.
    pub(super) fn load(
        &mut self,
        guarantee: Guarantee,
        after: i64,
        limit: usize,
    ) -> rusqlite::Result<Page> {
        let mut page = Page {
            after,
            ..Page::default()
        };
        let mut damaged = Vec::new();
        let (mut bytes, mut seen) = (0, 0);
        {
            let mut statement = self.connection.prepare_cached(
                "SELECT row, durable, first_attempt, event FROM pending WHERE row > ?1 ORDER BY row",
            )?;
            let mut rows = statement.query(params![after])?;
            while page.events.len() < limit && bytes < PAGE_BYTES && seen < PAGE_ROWS {
                let Some(row) = rows.next()? else {
                    page.is_last = true;
                    break;
                };
                seen += 1;
                page.after = in_order(page.after, row.get(0)?)?;
                if Guarantee::of_column(row, 1) != guarantee {
                    continue;
                }
                match read_event(row, 3) {
                    Some(event) => {
                        bytes += event.size();
                        page.events.push(Spooled {
                            row: page.after,
                            event,
                            first_attempt: read_millis(row, 2),
                        });
                    }
                    None => damaged.push(page.after),
                }
            }
            // Whether the last of the page is in order shows with the one behind it.
            if !page.is_last
                && let Some(row) = rows.next()?
            {
                in_order(page.after, row.get(0)?)?;
            }
        }
        if !damaged.is_empty() {
            self.transact(|tx, change| {
                damaged
                    .iter()
                    .try_for_each(|row| dead::move_damaged(tx, change, *row))
            })?;
        }
        Ok(page)
    }

    pub(super) fn last_row(&self) -> rusqlite::Result<i64> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(row) FROM pending")?
            .query_row([], |row| row.get(0))?;
        Ok(last.unwrap_or(0))
    }

    /// Writes, and changes nothing, to see whether the disk takes it.
    pub(super) fn probe(&mut self) -> rusqlite::Result<()> {
        self.transact(|tx, _| tx.execute("UPDATE totals SET one = 1", []).map(drop))
    }

    /// The greatest number that was given to a pending event.
    pub(super) fn last_number(&self) -> rusqlite::Result<i64> {
        let sequence = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'pending'";
        self.connection.query_row(sequence, [], |row| row.get(0))
    }

    /// Gives pending events numbers that are greater than this one.
    pub(super) fn numbers_after(&mut self, last: i64) -> rusqlite::Result<()> {
        if self.last_number()? >= last {
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

    /// Moves the log's content into the file and the log to nothing.
    pub(super) fn empty_log(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Whether this row is pending, with these bytes.
    pub(super) fn holds(&self, row: i64, packed: &[u8]) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM pending WHERE row = ?1 AND event = ?2")?
            .exists(params![row, packed])
    }

    /// Gives so many unused pages back to the file system, if there are more than the spare ones.
    pub(super) fn give_back(&self, spare: u32, pages: u32) -> rusqlite::Result<()> {
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

/// A transaction that was not done, with the rows that it would have had.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: rusqlite::Error,
    pub(super) rows: Vec<i64>,
}

impl Guarantee {
    pub(super) fn to_column(self) -> i64 {
        i64::from(self == Self::Durable)
    }

    /// What is no number any more counts as durable, so that no event is out of everybody's sight.
    fn of_column(row: &Row<'_>, column: usize) -> Self {
        match row.get_ref(column).map(|value| value.as_i64()) {
            Ok(Ok(0)) => Self::BestEffort,
            _ => Self::Durable,
        }
    }
}

fn write(
    tx: &Transaction<'_>,
    change: &mut Change,
    group: &Group,
    committed: &mut Committed,
) -> rusqlite::Result<()> {
    for (row, packed) in &group.retracted {
        let gone = tx
            .prepare_cached("DELETE FROM pending WHERE row = ?1 AND event = ?2")?
            .execute(params![row, packed])?;
        change.add_pending(-(gone as i64), packed.len());
    }
    for entry in &group.appends {
        let row = insert(tx, entry.guarantee, None, &entry.packed)?;
        change.add_pending(1, entry.packed.len());
        committed.rows.push(row);
    }
    for (pending, millis) in &group.attempts {
        tx.prepare_cached(
            "UPDATE pending SET first_attempt = ?4
             WHERE row = ?1 AND substr(event, ?2, 16) = ?3 AND first_attempt IS NULL",
        )?
        .execute(params![
            pending.row,
            ID_AT as i64,
            pending.id.as_bytes(),
            to_column(*millis)
        ])?;
    }
    for burial in &group.burials {
        if !dead::bury(tx, change, burial)? {
            committed.missing.extend(Missing::refused(burial));
        }
    }
    for pending in &group.acknowledged {
        if !delete(tx, change, pending)? {
            committed.missing.push(Missing::delivered(pending.id));
        }
    }
    Ok(())
}

/// Deletes a pending event; whether it was in its row.
pub(super) fn delete(
    tx: &Transaction<'_>,
    change: &mut Change,
    pending: &PendingRow,
) -> rusqlite::Result<bool> {
    let bytes: Option<i64> = tx
        .prepare_cached(
            "DELETE FROM pending WHERE row = ?1 AND substr(event, ?2, 16) = ?3 RETURNING length(event)",
        )?
        .query_row(
            params![pending.row, ID_AT as i64, pending.id.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(bytes) = bytes {
        change.add_pending(-1, to_length(bytes));
    }
    Ok(bytes.is_some())
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    guarantee: Guarantee,
    first_attempt: Option<i64>,
    packed: &[u8],
) -> rusqlite::Result<i64> {
    tx.prepare_cached("INSERT INTO pending (durable, first_attempt, event) VALUES (?1, ?2, ?3)")?
        .execute(params![guarantee.to_column(), first_attempt, packed])?;
    Ok(tx.last_insert_rowid())
}

/// The event in a column, if one is there that was not changed since.
pub(super) fn read_event(row: &Row<'_>, column: usize) -> Option<Event> {
    let packed = row.get_ref(column).ok()?.as_blob().ok()?;
    Event::from_packed(packed).ok()
}

pub(super) fn read_millis(row: &Row<'_>, column: usize) -> Option<u64> {
    let millis = row.get_ref(column).ok()?.as_i64().ok()?;
    u64::try_from(millis).ok()
}

pub(super) fn to_column(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

pub(super) fn to_length(bytes: i64) -> usize {
    usize::try_from(bytes).unwrap_or_default()
}
