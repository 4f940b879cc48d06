//! The table of rebuilds: what each of them lost, for as long as the file exists.

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params};

use super::rows::to_column;
use crate::event::now_millis;

/// Created by the first rebuild; a file that was never corrupt does not have it.
///
/// A null is a number that is unknown. No other table has six columns, by which a row is recognized
/// in a file that is corrupt once more.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS rebuilds (
    row INTEGER PRIMARY KEY,
    rebuilt_at INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL,
    lost INTEGER,
    lost_dead_letters INTEGER
)";
/// The largest number of rebuilds that are kept.
const MAX_REBUILDS: usize = 64;

/// One rebuild of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rebuild {
    rebuilt_at: i64,
    pending: i64,
    dead_letters: i64,
    lost: Option<i64>,
    lost_dead_letters: Option<i64>,
}

/// The loss of all rebuilds of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// Pending events that were lost, as far as their number is known.
    pub(super) lost: u64,
    pub(super) is_unknown: bool,
}

impl Rebuild {
    pub(super) fn new(
        (pending, lost): (u64, Option<u64>),
        (dead_letters, lost_dead_letters): (u64, Option<u64>),
    ) -> Self {
        Self {
            rebuilt_at: to_column(now_millis()),
            pending: to_column(pending),
            dead_letters: to_column(dead_letters),
            lost: lost.map(to_column),
            lost_dead_letters: lost_dead_letters.map(to_column),
        }
    }

    /// Reads the row of a file that is corrupt once more.
    pub(super) fn of_columns(columns: &[Value]) -> Option<Self> {
        let optional = |value: &Value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        match columns {
            [
                Value::Null,
                Value::Integer(rebuilt_at),
                Value::Integer(pending),
                Value::Integer(dead_letters),
                lost,
                lost_dead_letters,
            ] => Some(Self {
                rebuilt_at: *rebuilt_at,
                pending: *pending,
                dead_letters: *dead_letters,
                lost: optional(lost),
                lost_dead_letters: optional(lost_dead_letters),
            }),
            _ => None,
        }
    }
}

/// Adds the rebuilds to a file, the newest of them last.
pub(super) fn add(tx: &Transaction<'_>, rebuilds: &[Rebuild]) -> rusqlite::Result<()> {
    tx.execute(TABLE, [])?;
    let skipped = rebuilds.len().saturating_sub(MAX_REBUILDS);
    for rebuild in &rebuilds[skipped..] {
        tx.prepare_cached(
            "INSERT INTO rebuilds (rebuilt_at, pending, dead_letters, lost, lost_dead_letters) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            rebuild.rebuilt_at,
            rebuild.pending,
            rebuild.dead_letters,
            rebuild.lost,
            rebuild.lost_dead_letters
        ])?;
    }
    Ok(())
}

/// Returns the loss of all rebuilds.
pub(super) fn loss(connection: &Connection) -> rusqlite::Result<Loss> {
    let has_table = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'rebuilds'")?
        .exists([])?;
    if !has_table {
        return Ok(Loss::default());
    }
    connection.query_row(
        "SELECT coalesce(sum(max(lost, 0)), 0), count(*) > count(lost) OR count(*) > count(lost_dead_letters) FROM rebuilds",
        [],
        |row| {
            Ok(Loss {
                lost: row.get::<_, i64>(0)?.max(0).unsigned_abs(),
                is_unknown: row.get(1)?,
            })
        },
    )
}
