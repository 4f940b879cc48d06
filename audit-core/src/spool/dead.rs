//! Dead letters on disk: events that were refused for good, with the reason.

use std::time::SystemTime;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::damage::in_order;
use super::store::{
    Guarantee, PendingRow, Store, insert, read_event, read_millis, to_column, to_length,
};
use super::totals::{Change, totals};
use crate::event::{Event, ID_AT, from_millis, now_millis};

/// A page of letters that are read ends here, in bytes of events.
const PAGE_BYTES: usize = 1024 * 1024;
/// The longest reason that is kept, in bytes.
const FAULT_BYTES: usize = 4 * 1024;

/// An event that is to be kept as a dead letter.
#[derive(Clone, Debug)]
pub(super) struct Burial {
    pub(super) event: Buried,
    pub(super) fault: String,
}

#[derive(Clone, Debug)]
pub(super) enum Buried {
    /// It is among the pending ones.
    Pending(PendingRow),
    /// It was not on disk.
    Packed(Vec<u8>),
}

/// A dead letter of a [`Spool`](super::Spool): an event that was refused for good, with the reason.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpooledLetter {
    /// Its number among the dead letters, which has nothing to do with that among the pending.
    pub row: i64,
    /// The event, unchanged.
    pub event: Event,
    /// Why it was refused, in the service's words; at most 4 KiB.
    pub fault: String,
    /// When it was refused.
    pub buried_at: SystemTime,
}

impl Burial {
    pub(super) fn new(event: Buried, mut fault: String) -> Self {
        let mut end = fault.len().min(FAULT_BYTES);
        while !fault.is_char_boundary(end) {
            end -= 1;
        }
        fault.truncate(end);
        Self { event, fault }
    }

    pub(super) fn bytes(&self) -> usize {
        let packed = match &self.event {
            Buried::Pending(_) => 0,
            Buried::Packed(packed) => packed.len(),
        };
        packed + self.fault.len()
    }
}

/// Keeps an event as a dead letter. `false` if it was to be in a row and is not there, and nothing
/// happened.
pub(super) fn bury(
    tx: &Transaction<'_>,
    change: &mut Change,
    burial: &Burial,
) -> rusqlite::Result<bool> {
    let now = to_column(now_millis());
    match &burial.event {
        Buried::Pending(PendingRow { row, id }) => {
            let bytes: Option<i64> = tx
                .prepare_cached(
                    "INSERT INTO dead (first_attempt, buried_at, fault, event)
                     SELECT first_attempt, ?4, ?5, event FROM pending
                     WHERE row = ?1 AND substr(event, ?2, 16) = ?3
                     RETURNING length(event)",
                )?
                .query_row(
                    params![row, ID_AT as i64, id.as_bytes(), now, burial.fault],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(bytes) = bytes else { return Ok(false) };
            tx.prepare_cached("DELETE FROM pending WHERE row = ?1")?
                .execute([row])?;
            change.add_pending(-1, to_length(bytes));
            change.add_dead(1, to_length(bytes));
        }
        Buried::Packed(packed) => {
            tx.prepare_cached("INSERT INTO dead (buried_at, fault, event) VALUES (?1, ?2, ?3)")?
                .execute(params![now, burial.fault, packed])?;
            change.add_dead(1, packed.len());
        }
    }
    Ok(true)
}

/// The oldest letters make room while all of them occupy more than they may.
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
                "DELETE FROM dead WHERE row = (SELECT min(row) FROM dead) RETURNING length(event)",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(bytes) = oldest else { break };
        change.add_dead(-1, to_length(bytes));
        change.dead_dropped += 1;
    }
    Ok(())
}

/// Moves a pending row in which no event can be read to where it is kept and counted.
pub(super) fn move_damaged(
    tx: &Transaction<'_>,
    change: &mut Change,
    row: i64,
) -> rusqlite::Result<()> {
    let bytes: Option<i64> = tx
        .prepare_cached("SELECT coalesce(length(event), 0) FROM pending WHERE row = ?1")?
        .query_row([row], |row| row.get(0))
        .optional()?;
    let Some(bytes) = bytes else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO damaged (found_at, bytes)
         SELECT ?2, coalesce(CAST(event AS BLOB), x'') FROM pending WHERE row = ?1",
    )?
    .execute(params![row, to_column(now_millis())])?;
    change.damaged += 1;
    tx.prepare_cached("DELETE FROM pending WHERE row = ?1")?
        .execute([row])?;
    change.add_pending(-1, to_length(bytes));
    Ok(())
}

/// Keeps what stood in a row, for whoever wants to look.
pub(super) fn keep_damaged(
    tx: &Transaction<'_>,
    change: &mut Change,
    bytes: &Value,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO damaged (found_at, bytes) VALUES (?1, coalesce(?2, x''))")?
        .execute(params![to_column(now_millis()), bytes])?;
    change.damaged += 1;
    Ok(())
}

impl Store {
    /// The letters behind a row, oldest first.
    pub(super) fn letters(&self, after: i64, limit: usize) -> rusqlite::Result<Vec<SpooledLetter>> {
        letters(self.connection(), after, limit)
    }

    /// Makes letters pending again; the number of those that were there.
    pub(super) fn redrive(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, change| {
            let mut moved = 0;
            for number in rows {
                let letter = tx
                    .prepare_cached(
                        "DELETE FROM dead WHERE row = ?1 RETURNING first_attempt, event",
                    )?
                    .query_row([number], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))
                    .optional()?;
                let Some((first_attempt, packed)) = letter else {
                    continue;
                };
                // It is on the disk already, and nobody waits for it.
                insert(tx, Guarantee::BestEffort, first_attempt, &packed)?;
                change.add_dead(-1, packed.len());
                change.add_pending(1, packed.len());
                moved += 1;
            }
            Ok(moved)
        })
    }

    /// Forgets letters; the number of those that were there.
    pub(super) fn purge(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, change| {
            let mut gone = 0;
            for number in rows {
                let bytes: Option<i64> = tx
                    .prepare_cached("DELETE FROM dead WHERE row = ?1 RETURNING length(event)")?
                    .query_row([number], |row| row.get(0))
                    .optional()?;
                if let Some(bytes) = bytes {
                    change.add_dead(-1, to_length(bytes));
                    gone += 1;
                }
            }
            Ok(gone)
        })
    }
}

pub(super) fn letters(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<SpooledLetter>> {
    let mut statement = connection.prepare_cached(
        "SELECT row, buried_at, fault, event FROM dead WHERE row > ?1 ORDER BY row",
    )?;
    let mut rows = statement.query([after])?;
    let mut letters = Vec::new();
    let (mut bytes, mut after) = (0, after);
    while letters.len() < limit && bytes < PAGE_BYTES {
        let Some(row) = rows.next()? else { break };
        after = in_order(after, row.get(0)?)?;
        // A letter that cannot be read stays where it is; `verify` counts it.
        if let Some(letter) = letter(row)? {
            bytes += letter.event.size();
            letters.push(letter);
        }
    }
    Ok(letters)
}

fn letter(row: &Row<'_>) -> rusqlite::Result<Option<SpooledLetter>> {
    let Some(event) = read_event(row, 3) else {
        return Ok(None);
    };
    let fault = row.get_ref(2)?.as_bytes().unwrap_or_default();
    Ok(Some(SpooledLetter {
        row: row.get(0)?,
        event,
        fault: String::from_utf8_lossy(fault).into_owned(),
        buried_at: from_millis(read_millis(row, 1).unwrap_or_default()),
    }))
}
