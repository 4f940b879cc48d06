//! The table of corrupt rows: the bytes of rows in which no event can be read, kept for analysis.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::rows::{to_column, to_length};
use super::totals::Change;
use crate::event::now_millis;

/// Moves a pending row in which no event can be read, and counts it.
pub(super) fn move_pending(
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
        "INSERT INTO corrupt_rows (found_at, bytes)
         SELECT ?2, coalesce(CAST(event AS BLOB), x'') FROM pending WHERE row = ?1",
    )?
    .execute(params![row, to_column(now_millis())])?;
    change.corrupt_rows += 1;
    tx.prepare_cached("DELETE FROM pending WHERE row = ?1")?
        .execute([row])?;
    change.add_pending(-1, to_length(bytes));
    Ok(())
}

/// Keeps the bytes of a row that was found in a corrupt file, and counts it.
pub(super) fn keep(
    tx: &Transaction<'_>,
    change: &mut Change,
    bytes: &Value,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO corrupt_rows (found_at, bytes) VALUES (?1, coalesce(?2, x''))")?
        .execute(params![to_column(now_millis()), bytes])?;
    change.corrupt_rows += 1;
    Ok(())
}
