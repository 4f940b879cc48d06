//! The totals of the spool: one row, updated in the transactions that change what it counts.

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction};

use super::rows::to_column;

/// The overhead of a row in bytes: its id, lengths, index entry and share of the page headers.
pub(super) const ROW_BYTES: u64 = 48;
/// The bytes of the shortest and of the longest event: longer than any that is recorded.
const SHORTEST_EVENT: u64 = 32;
const LONGEST_EVENT: u64 = 32 * 1024 * 1024;

/// The numbers of events, and the bytes that they occupy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) pending: u64,
    pub(super) pending_bytes: u64,
    pub(super) dead: u64,
    pub(super) dead_bytes: u64,
    /// Dead letters that were dropped for newer ones.
    pub(super) dead_dropped: u64,
    /// Rows in which no event can be read.
    pub(super) corrupt_rows: u64,
}

impl Totals {
    /// The columns of the table, with the row id.
    pub(super) const COLUMNS: usize = 7;

    /// Reads the row of a corrupt file; `None` if it cannot be right.
    pub(super) fn of_columns(columns: &[Value]) -> Option<Self> {
        let counts = columns.get(1..)?.iter().map(|column| match column {
            Value::Integer(count) => u64::try_from(*count).ok(),
            _ => None,
        });
        let counts: Option<Vec<_>> = counts.collect();
        match counts?[..] {
            [
                pending,
                pending_bytes,
                dead,
                dead_bytes,
                dead_dropped,
                corrupt_rows,
            ] => Some(Self {
                pending,
                pending_bytes,
                dead,
                dead_bytes,
                dead_dropped,
                corrupt_rows,
            }),
            _ => None,
        }
    }

    /// Returns the bytes that an event of `bytes` occupies.
    pub(super) fn bytes_of(bytes: usize) -> u64 {
        (bytes as u64).saturating_add(ROW_BYTES)
    }

    /// Returns `true` if this many events can occupy this many bytes.
    pub(super) fn can_occupy(events: u64, bytes: u64) -> bool {
        let of_each = |length: u64| events.saturating_mul(ROW_BYTES + length);
        (of_each(SHORTEST_EVENT)..=of_each(LONGEST_EVENT)).contains(&bytes)
    }

    /// Returns `true` if there is neither a pending event nor a dead letter.
    pub(super) fn is_empty(&self) -> bool {
        self.pending == 0 && self.dead == 0
    }
}

/// The differences that a transaction makes to the totals.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) pending: i64,
    pub(super) pending_bytes: i64,
    pub(super) dead: i64,
    pub(super) dead_bytes: i64,
    pub(super) dead_dropped: i64,
    pub(super) corrupt_rows: i64,
}

impl Change {
    /// Adds events of `bytes` each; a negative number removes them.
    pub(super) fn add_pending(&mut self, events: i64, bytes: usize) {
        self.pending += events;
        self.pending_bytes += events * row_bytes(bytes);
    }

    pub(super) fn add_dead(&mut self, events: i64, bytes: usize) {
        self.dead += events;
        self.dead_bytes += events * row_bytes(bytes);
    }

    pub(super) fn apply(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let changes = [
            self.pending,
            self.pending_bytes,
            self.dead,
            self.dead_bytes,
            self.dead_dropped,
            self.corrupt_rows,
        ];
        if changes == [0; 6] {
            return Ok(());
        }
        // Never below zero: a total that corruption made too small must not fail the transactions
        // that correct it.
        tx.prepare_cached(
            "UPDATE totals SET pending = max(0, pending + ?1), pending_bytes = max(0, pending_bytes + ?2),
             dead = max(0, dead + ?3), dead_bytes = max(0, dead_bytes + ?4),
             dead_dropped = max(0, dead_dropped + ?5), corrupt_rows = max(0, corrupt_rows + ?6)",
        )?
        .execute(changes)?;
        Ok(())
    }
}

pub(super) fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    connection
        .prepare_cached(
            "SELECT pending, pending_bytes, dead, dead_bytes, dead_dropped, corrupt_rows FROM totals",
        )?
        .query_row([], |row| {
            let count = |column| {
                row.get::<_, i64>(column)
                    .map(|count| count.max(0).unsigned_abs())
            };
            Ok(Totals {
                pending: count(0)?,
                pending_bytes: count(1)?,
                dead: count(2)?,
                dead_bytes: count(3)?,
                dead_dropped: count(4)?,
                corrupt_rows: count(5)?,
            })
        })
}

fn row_bytes(bytes: usize) -> i64 {
    to_column(Totals::bytes_of(bytes))
}
