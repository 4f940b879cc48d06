//! Retention periods of organizations, and the deletion of expired events.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::timestamp::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the organization's period in days: `None` if there is no such organization, and
/// `Some(None)` if no period is set.
pub(crate) fn retention(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Option<u32>>> {
    tx.prepare_cached("SELECT retention_days FROM organizations WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Sets the period; returns `false` if there is no such organization.
pub(crate) fn set_retention(tx: &Transaction<'_>, id: &str, days: u32) -> rusqlite::Result<bool> {
    let changed = tx
        .prepare_cached("UPDATE organizations SET retention_days = ?2 WHERE id = ?1")?
        .execute(params![id, days])?;
    Ok(changed == 1)
}

/// Deletes the accepted events that are older than their organization's period, at most `limit` of
/// each organization, and returns their number.
pub(crate) fn enforce_retention(
    tx: &Transaction<'_>,
    now: Timestamp,
    limit: Option<u32>,
) -> rusqlite::Result<usize> {
    let mut statement = tx.prepare_cached(
        "SELECT id, retention_days FROM organizations WHERE retention_days IS NOT NULL",
    )?;
    let periods = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, u32)>>>()?;
    let mut delete = tx.prepare_cached(
        "DELETE FROM events WHERE seq IN (
             SELECT seq FROM events INDEXED BY events_by_time
             WHERE status = 'accepted' AND organization_id = ?1 AND occurred_at < ?2 LIMIT ?3)",
    )?;
    let mut deleted = 0;
    for (id, days) in periods {
        let period = i64::try_from((DAY * days).as_millis()).unwrap_or(i64::MAX);
        let cutoff = now.as_millis().saturating_sub(period);
        // SQLite treats a negative limit as no limit.
        deleted += delete.execute(params![id, cutoff, limit.map_or(-1, i64::from)])?;
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::organizations::add_organization;
    use crate::store::store::Store;

    #[test]
    fn sweep_deletes_in_limited_steps() {
        let store = Store::open(&Data::Memory).unwrap();
        let deleted = store.transact(|tx| {
            add_organization(tx, "org_1", None, Timestamp::from_millis(0))?;
            set_retention(tx, "org_1", 30)?;
            for _ in 0..5 {
                tx.execute(
                    "INSERT INTO events (received_at, occurred_at, organization_id, status, http_status, response, reasons, event_bytes)
                     VALUES (0, 0, 'org_1', 'accepted', 200, '{}', '[]', 0)",
                    [],
                )?;
            }
            let now = Timestamp::from_millis(0).after(DAY * 31);
            [(); 4]
                .into_iter()
                .map(|()| enforce_retention(tx, now, Some(2)))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        assert_eq!(deleted.unwrap(), [2, 2, 1, 0]);
    }
}
