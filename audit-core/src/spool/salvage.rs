//! Salvage of a corrupt spool, row by row.
//!
//! The corrupt file is never written. The rows keep their ids, so that a later acknowledgement
//! still refers to its event.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::corrupt_rows;
use super::rows::{MAX_ROW, read_event};
use super::store::Store;
use super::totals::Change;

/// Rows copied in one transaction.
const BATCH: usize = 1_000;
/// The largest gap between two readable rows whose row ids are tried one by one.
///
/// A wider gap means that the row ids themselves are corrupt.
const MAX_GAP: i64 = 4_000_000;
/// The largest number of row ids out of order; more of them mean another kind of corruption.
const MAX_MISPLACED: u32 = 16;

/// The numbers of rows that were found in a corrupt file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Salvaged {
    pub(super) pending: u64,
    pub(super) dead: u64,
    /// Rows that were found and in which no event can be read.
    pub(super) corrupt_rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Pending,
    DeadLetters,
    CorruptRows,
}

/// A row of any of the tables as it was read. Columns that the table does not have are null.
struct RawRow {
    /// The row id; 0 if it is known to be corrupt.
    row: i64,
    is_event: bool,
    values: [Value; 4],
}

impl RawRow {
    fn without_id(self) -> Self {
        Self { row: 0, ..self }
    }
}

/// Copies every readable row into a store. The errors are those of the store that is written.
pub(super) fn salvage(from: &Path, to: &mut Store) -> rusqlite::Result<Salvaged> {
    let mut salvaged = Salvaged::default();
    // Without a readable first page there are no tables to read.
    let Ok(source) = Store::read_only(from) else {
        return Ok(salvaged);
    };
    for table in [Table::Pending, Table::DeadLetters, Table::CorruptRows] {
        let (mut batch, mut strays) = (Vec::new(), Vec::new());
        let mut written = Ok(());
        read_all(&source, table, &mut |raw| {
            // A few, which receive unused row ids in the end.
            if id_of(&raw).is_none() && strays.len() < BATCH {
                strays.push(raw);
                return ControlFlow::Continue(());
            }
            batch.push(raw);
            if batch.len() >= BATCH {
                written = copy(to, table, &mut batch, &mut salvaged);
            }
            match written {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        written?;
        copy(to, table, &mut batch, &mut salvaged)?;
        if table == Table::Pending
            && let Ok(Some(last)) = last_row_id(&source)
            && last <= MAX_ROW
        {
            to.continue_row_ids_after(last)?;
        }
        copy(to, table, &mut strays, &mut salvaged)?;
    }
    Ok(salvaged)
}

/// Passes every readable row to `found`.
///
/// Reads from the front to the first corruption, from the back to the last, and the row ids in
/// between one by one. A row whose id is corrupt and out of order is passed without an id.
fn read_all(source: &Connection, table: Table, found: &mut dyn FnMut(RawRow) -> ControlFlow<()>) {
    let name = table.name();
    let mut first = i64::MIN;
    let forward = format!(
        "SELECT {} FROM {name} NOT INDEXED WHERE row > ?1 ORDER BY row",
        table.columns()
    );
    // The second of two rows shows which of them is out of order.
    let mut held: Option<RawRow> = None;
    let mut misplaced = 0;
    let is_complete = scan(source, &forward, first, table, &mut |raw| {
        let stray = match held.take() {
            // Its id is too small.
            None if raw.row <= first => raw,
            None => {
                held = Some(raw);
                return ControlFlow::Continue(());
            }
            Some(before) if raw.row > before.row => {
                first = before.row;
                held = Some(raw);
                return found(before);
            }
            // The id before it was too large.
            Some(before) if raw.row > first => {
                held = Some(raw);
                before
            }
            Some(before) => {
                first = before.row;
                found(before)?;
                raw
            }
        };
        // Ends the scan of a tree with a cycle.
        misplaced += 1;
        if misplaced > MAX_MISPLACED {
            return ControlFlow::Break(());
        }
        found(stray.without_id())
    });
    if let Some(last) = held {
        first = last.row;
        if found(last).is_break() {
            return;
        }
    }
    if is_complete {
        return;
    }
    let mut last = i64::MAX;
    let backward = format!(
        "SELECT {} FROM {name} NOT INDEXED WHERE row < ?1 ORDER BY row DESC",
        table.columns()
    );
    scan(source, &backward, last, table, &mut |raw| {
        if raw.row >= last || raw.row <= first {
            return ControlFlow::Break(());
        }
        last = raw.row;
        found(raw)
    });
    let first = if first == i64::MIN { 0 } else { first };
    // Nothing was read from the back: the end is the last row id that was used.
    if last == i64::MAX {
        last = last_row_id(source)
            .ok()
            .flatten()
            .unwrap_or(first)
            .saturating_add(1);
    }
    if last.saturating_sub(first) > MAX_GAP {
        return;
    }
    let one = format!(
        "SELECT {} FROM {name} NOT INDEXED WHERE row > ?1 AND row < ?1 + 2",
        table.columns()
    );
    for before in first..last.saturating_sub(1) {
        let mut stop = false;
        scan(source, &one, before, table, &mut |raw| {
            // A corrupt tree can return another row.
            if raw.row != before + 1 {
                return ControlFlow::Break(());
            }
            let flow = found(raw);
            stop = flow.is_break();
            flow
        });
        if stop {
            return;
        }
    }
}

/// Reads the rows of one statement. Returns `true` if it reached the end.
fn scan(
    source: &Connection,
    sql: &str,
    bound: i64,
    table: Table,
    found: &mut dyn FnMut(RawRow) -> ControlFlow<()>,
) -> bool {
    let mut read = || -> rusqlite::Result<bool> {
        let mut statement = source.prepare_cached(sql)?;
        let mut rows = statement.query([bound])?;
        while let Some(row) = rows.next()? {
            if found(table.read(row)?).is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    read().unwrap_or(false)
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::DeadLetters => "dead_letters",
            Self::CorruptRows => "corrupt_rows",
        }
    }

    fn columns(self) -> &'static str {
        match self {
            Self::Pending => "row, event, first_attempt, durable",
            Self::DeadLetters => "row, event, first_attempt, rejected_at, fault",
            Self::CorruptRows => "row, bytes, found_at",
        }
    }

    fn read(self, row: &Row<'_>) -> rusqlite::Result<RawRow> {
        let mut values = [const { Value::Null }; 4];
        let last = match self {
            Self::Pending => 3,
            Self::DeadLetters => 4,
            Self::CorruptRows => 2,
        };
        for (at, value) in values.iter_mut().enumerate().take(last) {
            *value = match row.get_ref(at + 1)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Real(number),
                // Invalid UTF-8 must not lose the row.
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            };
        }
        Ok(RawRow {
            row: row.get(0)?,
            is_event: self != Self::CorruptRows && read_event(row, 1).is_some(),
            values,
        })
    }
}

fn copy(
    to: &mut Store,
    table: Table,
    batch: &mut Vec<RawRow>,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    to.transact(|tx, change| {
        batch
            .drain(..)
            .try_for_each(|raw| copy_row(tx, change, table, &raw, salvaged))
    })
}

fn copy_row(
    tx: &Transaction<'_>,
    change: &mut Change,
    table: Table,
    raw: &RawRow,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<()> {
    let id = id_of(raw);
    // The third column is the guarantee of a pending event, or the time of a rejection.
    let [event, first_attempt, third, fault] = &raw.values;
    let bytes = match event {
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    let integer = |value: &Value| match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    // In a tree with a cycle it may have been copied before.
    if id.is_none() && raw.is_event && is_known(tx, table, event)? {
        return Ok(());
    }
    match table {
        Table::Pending if raw.is_event => {
            let rows = tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO pending (row, durable, first_attempt, event) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, integer(third).unwrap_or(1), integer(first_attempt), event])?;
            change.add_pending(rows as i64, bytes);
            salvaged.pending += rows as u64;
        }
        Table::DeadLetters if raw.is_event => {
            let fault = match fault {
                Value::Text(fault) => fault.as_str(),
                _ => "",
            };
            let rows = tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO dead_letters (row, first_attempt, rejected_at, fault, event) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    id,
                    integer(first_attempt),
                    integer(third).unwrap_or_default(),
                    fault,
                    event
                ])?;
            change.add_dead(rows as i64, bytes);
            salvaged.dead += rows as u64;
        }
        Table::Pending | Table::DeadLetters | Table::CorruptRows => {
            corrupt_rows::keep(tx, change, event)?;
            // Rows of that table were counted when they were found.
            salvaged.corrupt_rows += u64::from(table != Table::CorruptRows);
        }
    }
    Ok(())
}

/// Returns the row id to keep; `None` if it is out of range.
fn id_of(raw: &RawRow) -> Option<i64> {
    (1..=MAX_ROW).contains(&raw.row).then_some(raw.row)
}

fn is_known(tx: &Transaction<'_>, table: Table, event: &Value) -> rusqlite::Result<bool> {
    let name = table.name();
    tx.prepare_cached(&format!(
        "SELECT 1 FROM {name} NOT INDEXED WHERE event = ?1"
    ))?
    .exists([event])
}

/// Reads the last row id that was used.
fn last_row_id(source: &Connection) -> rusqlite::Result<Option<i64>> {
    source
        .query_row(
            "SELECT seq FROM sqlite_sequence WHERE name = 'pending'",
            [],
            |row| row.get(0),
        )
        .optional()
}
