//! Counters that outlive the rows they count.

use rusqlite::Transaction;

use crate::records::{EventStatus, Stats};

pub(super) fn count_event(tx: &Transaction<'_>, status: EventStatus) -> rusqlite::Result<()> {
    count(tx, status.as_str())
}

pub(crate) fn count_duplicate(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    count(tx, "duplicates")
}

fn count(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE counters SET value = value + 1 WHERE name = ?1")?
        .execute([name])?;
    Ok(())
}

pub(crate) fn stats(tx: &Transaction<'_>) -> rusqlite::Result<Stats> {
    let mut statement = tx.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    let mut value = |name: &str| {
        statement
            .query_row([name], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
    };
    Ok(Stats {
        accepted: value("accepted")?,
        rejected: value("rejected")?,
        duplicates: value("duplicates")?,
    })
}
