//! The table of dead letters: rejected events, each with the reason.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::pending::insert;
use super::rows::{
    DeadLetterEntry, DeadLetterSource, Guarantee, PendingRow, in_order, read_event, read_millis,
    to_column, to_length,
};
use super::totals::{Change, totals};
use crate::event::{Event, ID_AT, from_millis, now_millis};

/// The size of a page in bytes of events.
const PAGE_BYTES: usize = 1024 * 1024;

/// A dead letter of a [`Spool`](super::Spool): a rejected event, with the reason.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpooledDeadLetter {
    /// The row id among the dead letters, unrelated to the row id that the event had while pending.
    pub row: i64,
    /// The event, unchanged.
    pub event: Event,
    /// The reason of the rejection, as the service gave it; at most 4 KiB.
    pub fault: String,
    /// The time of the rejection.
    pub rejected_at: SystemTime,
}

/// Keeps an event as a dead letter.
///
/// Returns `false`, and changes nothing, if the event has a pending row and is not in it.
pub(super) fn add(
    tx: &Transaction<'_>,
    change: &mut Change,
    entry: &DeadLetterEntry,
) -> rusqlite::Result<bool> {
    let now = to_column(now_millis());
    match &entry.source {
        DeadLetterSource::Pending(PendingRow { row, id }) => {
            let bytes: Option<i64> = tx
                .prepare_cached(
                    "INSERT INTO dead_letters (first_attempt, rejected_at, fault, event)
                     SELECT first_attempt, ?4, ?5, event FROM pending
                     WHERE row = ?1 AND substr(event, ?2, 16) = ?3
                     RETURNING length(event)",
                )?
                .query_row(
                    params![row, ID_AT as i64, id.as_bytes(), now, entry.fault],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(bytes) = bytes else { return Ok(false) };
            tx.prepare_cached("DELETE FROM pending WHERE row = ?1")?
                .execute([row])?;
            change.add_pending(-1, to_length(bytes));
            change.add_dead(1, to_length(bytes));
        }
        DeadLetterSource::Packed(packed) => {
            tx.prepare_cached(
                "INSERT INTO dead_letters (rejected_at, fault, event) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![now, entry.fault, packed])?;
            change.add_dead(1, packed.len());
        }
    }
    Ok(true)
}

/// Drops the oldest dead letters until the rest occupies at most `max_bytes`.
pub(super) fn make_room(
    tx: &Transaction<'_>,
    change: &mut Change,
    max_bytes: u64,
) -> rusqlite::Result<()> {
    if change.dead_bytes <= 0 {
        return Ok(());
    }
    let before = to_column(totals(tx)?.dead_bytes);
    while before + change.dead_bytes > to_column(max_bytes) {
        let oldest: Option<i64> = tx
            .prepare_cached(
                "DELETE FROM dead_letters WHERE row = (SELECT min(row) FROM dead_letters)
                 RETURNING length(event)",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(bytes) = oldest else { break };
        change.add_dead(-1, to_length(bytes));
        change.dead_dropped += 1;
    }
    Ok(())
}

/// Makes dead letters pending again. Returns the number of those that were found.
pub(super) fn redrive(
    tx: &Transaction<'_>,
    change: &mut Change,
    rows: &[i64],
) -> rusqlite::Result<u64> {
    let mut moved = 0;
    for row in rows {
        let found = tx
            .prepare_cached(
                "DELETE FROM dead_letters WHERE row = ?1 RETURNING first_attempt, event",
            )?
            .query_row([row], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        let Some((first_attempt, packed)) = found else {
            continue;
        };
        change.add_dead(-1, packed.len());
        // It is on disk already, and has no waiter.
        insert(tx, change, Guarantee::BestEffort, first_attempt, &packed)?;
        moved += 1;
    }
    Ok(moved)
}

/// Deletes dead letters. Returns the number of those that were found.
pub(super) fn purge(
    tx: &Transaction<'_>,
    change: &mut Change,
    rows: &[i64],
) -> rusqlite::Result<u64> {
    let mut deleted = 0;
    for row in rows {
        let bytes: Option<i64> = tx
            .prepare_cached("DELETE FROM dead_letters WHERE row = ?1 RETURNING length(event)")?
            .query_row([row], |row| row.get(0))
            .optional()?;
        if let Some(bytes) = bytes {
            change.add_dead(-1, to_length(bytes));
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// Reads the dead letters after a row, oldest first.
pub(super) fn read_page(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<SpooledDeadLetter>> {
    let mut statement = connection.prepare_cached(
        "SELECT row, rejected_at, fault, event FROM dead_letters WHERE row > ?1 ORDER BY row",
    )?;
    let mut rows = statement.query([after])?;
    let mut dead_letters = Vec::new();
    let (mut bytes, mut after) = (0, after);
    while dead_letters.len() < limit && bytes < PAGE_BYTES {
        let Some(row) = rows.next()? else { break };
        after = in_order(after, row.get(0)?)?;
        // An unreadable dead letter stays in its row; `verify` counts it.
        if let Some(dead_letter) = read(row)? {
            bytes += dead_letter.event.size();
            dead_letters.push(dead_letter);
        }
    }
    Ok(dead_letters)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<SpooledDeadLetter>> {
    let Some(event) = read_event(row, 3) else {
        return Ok(None);
    };
    let fault = row.get_ref(2)?.as_bytes().unwrap_or_default();
    Ok(Some(SpooledDeadLetter {
        row: row.get(0)?,
        event,
        fault: String::from_utf8_lossy(fault).into_owned(),
        rejected_at: from_millis(read_millis(row, 1).unwrap_or_default()),
    }))
}
