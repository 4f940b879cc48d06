//! Responses saved under an idempotency key.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::timestamp::Timestamp;

/// The lifetime of a key (WorkOS API reference, <https://workos.com/docs/reference/idempotency>).
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The saved response to an earlier request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SavedResponse {
    pub(crate) http_status: u16,
    pub(crate) response: String,
}

/// Returns the time at or before which a saved response has expired: a key expires exactly 24 hours
/// after its response.
fn cutoff(now: Timestamp) -> i64 {
    now.as_millis()
        .saturating_sub(i64::try_from(KEY_LIFETIME.as_millis()).unwrap_or(i64::MAX))
}

/// Returns the response saved under `key` within the last 24 hours. Keys are separate for each API
/// key, which `key_hash` identifies.
pub(crate) fn find_response(
    tx: &Transaction<'_>,
    key_hash: &[u8],
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<SavedResponse>> {
    tx.prepare_cached("SELECT http_status, response FROM idempotency WHERE scope = ?1 AND key = ?2 AND created_at > ?3")?
        .query_row(params![key_hash, key, cutoff(now)], |row| Ok(SavedResponse { http_status: row.get(0)?, response: row.get(1)? }))
        .optional()
}

/// Saves a response for 24 hours, and deletes the expired ones, so that the table holds at most one
/// day.
pub(crate) fn save_response(
    tx: &Transaction<'_>,
    key_hash: &[u8],
    key: &str,
    http_status: u16,
    response: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM idempotency WHERE created_at <= ?1")?
        .execute([cutoff(now)])?;
    tx.prepare_cached("INSERT OR REPLACE INTO idempotency (scope, key, http_status, response, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![key_hash, key, http_status, response, now.as_millis()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::store::Store;

    const DAY: i64 = 24 * 60 * 60 * 1_000;

    #[test]
    fn key_expires_after_exactly_one_day() {
        let store = Store::open(&Data::Memory).unwrap();
        let start = 1_000_000_000_000;
        store
            .transact(|tx| save_response(tx, b"a", "k", 200, "{}", Timestamp::from_millis(start)))
            .unwrap();
        let at = |millis| {
            store
                .transact(|tx| find_response(tx, b"a", "k", Timestamp::from_millis(millis)))
                .unwrap()
        };
        assert_eq!(
            at(start + DAY - 1),
            Some(SavedResponse {
                http_status: 200,
                response: "{}".to_owned()
            })
        );
        assert_eq!(at(start + DAY), None);
    }

    #[test]
    fn keys_of_two_api_keys_are_separate() {
        let store = Store::open(&Data::Memory).unwrap();
        let now = Timestamp::from_millis(0);
        store
            .transact(|tx| save_response(tx, b"a", "k", 200, "{}", now))
            .unwrap();
        assert_eq!(
            store
                .transact(|tx| find_response(tx, b"b", "k", now))
                .unwrap(),
            None
        );
        assert_eq!(
            store
                .transact(|tx| find_response(tx, b"a", "j", now))
                .unwrap(),
            None
        );
    }

    #[test]
    fn expired_keys_are_deleted() {
        let store = Store::open(&Data::Memory).unwrap();
        for day in 1..=3 {
            store
                .transact(|tx| {
                    save_response(
                        tx,
                        b"a",
                        &day.to_string(),
                        200,
                        "{}",
                        Timestamp::from_millis(day * DAY),
                    )
                })
                .unwrap();
        }
        let rows: i64 = store
            .transact(|tx| tx.query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(rows, 1);
    }
}
