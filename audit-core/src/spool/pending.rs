//! The table of pending events.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::rows::{
    AttemptMark, Guarantee, NewEvent, Page, PendingRow, SpooledEvent, in_order, read_event,
    read_millis, to_column, to_length,
};
use super::totals::Change;
use crate::event::{EventId, ID_AT};

/// The size of a page in bytes of events, so that events of any size take bounded memory.
const PAGE_BYTES: usize = 1024 * 1024;
/// The largest number of rows read for one page, of either guarantee.
const PAGE_ROWS: usize = 4_096;

/// Inserts a new event and returns its row id.
pub(super) fn append(
    tx: &Transaction<'_>,
    change: &mut Change,
    event: &NewEvent,
) -> rusqlite::Result<i64> {
    let first_attempt = event.first_attempt.map(to_column);
    insert(tx, change, event.guarantee, first_attempt, &event.packed)
}

/// Inserts an event that may have been attempted before, and returns its row id.
pub(super) fn insert(
    tx: &Transaction<'_>,
    change: &mut Change,
    guarantee: Guarantee,
    first_attempt: Option<i64>,
    packed: &[u8],
) -> rusqlite::Result<i64> {
    tx.prepare_cached("INSERT INTO pending (durable, first_attempt, event) VALUES (?1, ?2, ?3)")?
        .execute(params![guarantee.to_column(), first_attempt, packed])?;
    change.add_pending(1, packed.len());
    Ok(tx.last_insert_rowid())
}

/// Deletes a pending event. Returns `false` if it is not in its row.
pub(super) fn delete(
    tx: &Transaction<'_>,
    change: &mut Change,
    pending: &PendingRow,
) -> rusqlite::Result<bool> {
    let bytes: Option<i64> = tx
        .prepare_cached(
            "DELETE FROM pending WHERE row = ?1 AND substr(event, ?2, 16) = ?3
             RETURNING length(event)",
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

/// Deletes what a failed transaction may have written into a row.
pub(super) fn retract(
    tx: &Transaction<'_>,
    change: &mut Change,
    row: i64,
    packed: &[u8],
) -> rusqlite::Result<()> {
    let deleted = tx
        .prepare_cached("DELETE FROM pending WHERE row = ?1 AND event = ?2")?
        .execute(params![row, packed])?;
    change.add_pending(-(deleted as i64), packed.len());
    Ok(())
}

/// Keeps the time of the first attempt whose result is not known, or removes it.
pub(super) fn mark_attempt(
    tx: &Transaction<'_>,
    pending: &PendingRow,
    mark: AttemptMark,
) -> rusqlite::Result<()> {
    let (sql, millis) = match mark {
        AttemptMark::Begun(millis) => (
            "UPDATE pending SET first_attempt = ?4
             WHERE row = ?1 AND substr(event, ?2, 16) = ?3 AND first_attempt IS NULL",
            millis,
        ),
        AttemptMark::NotReceived(millis) => (
            "UPDATE pending SET first_attempt = NULL
             WHERE row = ?1 AND substr(event, ?2, 16) = ?3 AND first_attempt = ?4",
            millis,
        ),
    };
    tx.prepare_cached(sql)?.execute(params![
        pending.row,
        ID_AT as i64,
        pending.id.as_bytes(),
        to_column(millis)
    ])?;
    Ok(())
}

/// Reads the events of one guarantee after a row, oldest first, and lists the unreadable rows.
///
/// The table is read in its own order. An index by guarantee would be faster among rows of the
/// other, but a corrupt index hides rows without an error.
pub(super) fn read_page(
    connection: &Connection,
    guarantee: Guarantee,
    after: i64,
    limit: usize,
) -> rusqlite::Result<(Page, Vec<i64>)> {
    let mut page = Page {
        after,
        ..Page::default()
    };
    let mut unreadable = Vec::new();
    let (mut bytes, mut seen) = (0, 0);
    let mut statement = connection.prepare_cached(
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
                page.events.push(SpooledEvent {
                    row: page.after,
                    event,
                    first_attempt: read_millis(row, 2),
                });
            }
            None => unreadable.push(page.after),
        }
    }
    // A row id that is too large is detected only at the row after it.
    if !page.is_last
        && let Some(row) = rows.next()?
    {
        in_order(page.after, row.get(0)?)?;
    }
    Ok((page, unreadable))
}

/// Reads the event in a row; `None` if there is none or it cannot be read.
pub(super) fn read(connection: &Connection, row: i64) -> rusqlite::Result<Option<SpooledEvent>> {
    let read = connection
        .prepare_cached("SELECT first_attempt, event FROM pending WHERE row = ?1")?
        .query_row(params![row], |found| {
            let event = read_event(found, 1);
            Ok(event.map(|event| SpooledEvent {
                row,
                event,
                first_attempt: read_millis(found, 0),
            }))
        })
        .optional()?;
    Ok(read.flatten())
}

/// Returns the time in the id of the first event, in milliseconds since 1970.
pub(super) fn oldest_millis(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let id: Option<Vec<u8>> = connection
        .prepare_cached("SELECT substr(event, ?1, 16) FROM pending ORDER BY row LIMIT 1")?
        .query_row(params![ID_AT as i64], |row| row.get(0))
        .optional()?;
    let id = id.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    Ok(id.map(|bytes| EventId::from_bytes(bytes).millis()))
}

/// Reads at most `limit` events of both guarantees from a place between the oldest, 0, and the
/// newest, 1. Unreadable rows are left out.
pub(super) fn sample(connection: &Connection, place: f64, limit: usize) -> rusqlite::Result<Page> {
    let edges: (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT (SELECT min(row) FROM pending), (SELECT max(row) FROM pending)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut page = Page::default();
    let (Some(first), Some(last)) = edges else {
        return Ok(page);
    };
    let length = i64::try_from(limit).unwrap_or(i64::MAX);
    let span = last.saturating_sub(first).saturating_sub(length).max(0);
    let after = first
        .saturating_add((span as f64 * place) as i64)
        .saturating_sub(1);
    let mut bytes = 0;
    let mut statement = connection.prepare_cached(
        "SELECT row, first_attempt, event FROM pending WHERE row > ?1 ORDER BY row LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, length])?;
    while bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        if let Some(event) = read_event(row, 2) {
            bytes += event.size();
            page.events.push(SpooledEvent {
                row: row.get(0)?,
                event,
                first_attempt: read_millis(row, 1),
            });
        }
    }
    Ok(page)
}
