//! What can be read of a damaged spool, row by row.
//!
//! The file is only read. The rows keep their numbers, so that an acknowledgement that comes later
//! still means the event that it was meant for.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::error::is_corrupt;
use super::identity::MAX_ROW;
use super::store::{Store, read_event};
use super::totals::Change;
use crate::spool::dead;

/// Rows copied in one transaction.
const BATCH: usize = 1_000;
/// Numbers between two readable rows that are tried one by one; a gap that is wider is damage of
/// the numbers themselves.
const MOST_TRIED: i64 = 4_000_000;

/// Rows of which the number is out of order; more of them are damage of something else.
const MOST_MISPLACED: u32 = 16;

/// What was found in a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Salvaged {
    pub(super) pending: u64,
    pub(super) dead: u64,
    /// Rows that were found, in which no event could be read.
    pub(super) damaged: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Pending,
    Dead,
    Damaged,
}

/// A row as it stands, of any of the tables; what a table does not have is null.
struct Raw {
    row: i64,
    is_event: bool,
    values: [Value; 4],
}

impl Raw {
    fn without_number(self) -> Self {
        Self { row: 0, ..self }
    }
}

/// Copies what can be read into a store. An error is one of the store that is written.
pub(super) fn salvage(from: &Path, to: &mut Store) -> rusqlite::Result<Salvaged> {
    let mut salvaged = Salvaged::default();
    // A file of which not even the first page can be read holds nothing that could be told apart.
    let Ok(source) = Store::read_only(from) else {
        return Ok(salvaged);
    };
    for table in [Table::Pending, Table::Dead, Table::Damaged] {
        let (mut batch, mut strays) = (Vec::new(), Vec::new());
        let mut written = Ok(());
        read_all(&source, table, &mut |raw| {
            // A few, which get numbers that no other has.
            if number_of(&raw).is_none() && strays.len() < BATCH {
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
            && let Ok(Some(last)) = last_number(&source)
            && last <= MAX_ROW
        {
            to.numbers_after(last)?;
        }
        copy(to, table, &mut strays, &mut salvaged)?;
    }
    Ok(salvaged)
}

/// Hands every row that can be read to `found`: from the front up to the first damage, from the
/// back down to the last, and what lies between them number by number. A row whose number is
/// damaged, and is not the next, has none.
fn read_all(source: &Connection, table: Table, found: &mut dyn FnMut(Raw) -> ControlFlow<()>) {
    let name = table.name();
    let mut first = i64::MIN;
    let forward = format!(
        "SELECT {} FROM {name} NOT INDEXED WHERE row > ?1 ORDER BY row",
        table.columns()
    );
    // Which of two rows is out of order shows with the second.
    let mut held: Option<Raw> = None;
    let mut misplaced = 0;
    let whole = scan(source, &forward, first, table, &mut |raw| {
        let stray = match held.take() {
            // It is too small.
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
            // The one before was too great.
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
        // A tree that leads in circles comes to an end here.
        misplaced += 1;
        if misplaced > MOST_MISPLACED {
            return ControlFlow::Break(());
        }
        found(stray.without_number())
    });
    if let Some(last) = held {
        first = last.row;
        if found(last).is_break() {
            return;
        }
    }
    if whole {
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
    // Nothing was read from the back: the last number that was given out is the end.
    if last == i64::MAX {
        last = last_number(source)
            .ok()
            .flatten()
            .unwrap_or(first)
            .saturating_add(1);
    }
    if last.saturating_sub(first) > MOST_TRIED {
        return;
    }
    let one = format!(
        "SELECT {} FROM {name} NOT INDEXED WHERE row > ?1 AND row < ?1 + 2",
        table.columns()
    );
    for before in first..last.saturating_sub(1) {
        let mut stop = false;
        scan(source, &one, before, table, &mut |raw| {
            // A damaged tree leads to others, too.
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

/// Reads the rows of one statement; whether it came to its end.
fn scan(
    source: &Connection,
    sql: &str,
    bound: i64,
    table: Table,
    found: &mut dyn FnMut(Raw) -> ControlFlow<()>,
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
            Self::Dead => "dead",
            Self::Damaged => "damaged",
        }
    }

    fn columns(self) -> &'static str {
        match self {
            Self::Pending => "row, event, first_attempt, durable",
            Self::Dead => "row, event, first_attempt, buried_at, fault",
            Self::Damaged => "row, bytes, found_at",
        }
    }

    fn read(self, row: &Row<'_>) -> rusqlite::Result<Raw> {
        let mut values = [const { Value::Null }; 4];
        let last = match self {
            Self::Pending => 3,
            Self::Dead => 4,
            Self::Damaged => 2,
        };
        for (at, value) in values.iter_mut().enumerate().take(last) {
            *value = match row.get_ref(at + 1)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Real(number),
                // Text that is not UTF-8 any more is no reason to lose the row.
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            };
        }
        Ok(Raw {
            row: row.get(0)?,
            is_event: self != Self::Damaged && read_event(row, 1).is_some(),
            values,
        })
    }
}

fn copy(
    to: &mut Store,
    table: Table,
    batch: &mut Vec<Raw>,
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
    raw: &Raw,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<()> {
    let number = number_of(raw);
    // The third is the guarantee of a pending event, and the time of a dead one.
    let [event, first_attempt, third, fault] = &raw.values;
    let bytes = match event {
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    let whole = |value: &Value| match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    // In a tree that leads in circles it may have come before.
    if number.is_none() && raw.is_event && is_known(tx, table, event)? {
        return Ok(());
    }
    match table {
        Table::Pending if raw.is_event => {
            let rows = tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO pending (row, durable, first_attempt, event) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![number, whole(third).unwrap_or(1), whole(first_attempt), event])?;
            change.add_pending(rows as i64, bytes);
            salvaged.pending += rows as u64;
        }
        Table::Dead if raw.is_event => {
            let fault = match fault {
                Value::Text(fault) => fault.as_str(),
                _ => "",
            };
            let rows = tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO dead (row, first_attempt, buried_at, fault, event) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    number,
                    whole(first_attempt),
                    whole(third).unwrap_or_default(),
                    fault,
                    event
                ])?;
            change.add_dead(rows as i64, bytes);
            salvaged.dead += rows as u64;
        }
        Table::Pending | Table::Dead | Table::Damaged => {
            dead::keep_damaged(tx, change, event)?;
            // Those that were damaged before were counted before.
            salvaged.damaged += u64::from(table != Table::Damaged);
        }
    }
    Ok(())
}

/// The number that a row keeps, if it can be one.
fn number_of(raw: &Raw) -> Option<i64> {
    (1..=MAX_ROW).contains(&raw.row).then_some(raw.row)
}

fn is_known(tx: &Transaction<'_>, table: Table, event: &Value) -> rusqlite::Result<bool> {
    let name = table.name();
    tx.prepare_cached(&format!(
        "SELECT 1 FROM {name} NOT INDEXED WHERE event = ?1"
    ))?
    .exists([event])
}

/// The last number that was given out.
fn last_number(source: &Connection) -> rusqlite::Result<Option<i64>> {
    source
        .query_row(
            "SELECT seq FROM sqlite_sequence WHERE name = 'pending'",
            [],
            |row| row.get(0),
        )
        .optional()
}

/// Whether damage may be the reason why a file cannot be opened. What is no damage (a full disk, a
/// folder that takes no file) stops the rebuilding, too, which leaves the file as it is.
pub(super) fn may_be_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    is_corrupt(error)
        || match error.sqlite_error_code() {
            // A damaged schema names tables and columns that do not exist, a damaged head forbids
            // writing.
            Some(code) => matches!(
                code,
                ErrorCode::Unknown
                    | ErrorCode::ReadOnly
                    | ErrorCode::TypeMismatch
                    | ErrorCode::ConstraintViolation
            ),
            // The library's own errors are about statements, which are always the same, and about
            // values that were read.
            None => true,
        }
}
