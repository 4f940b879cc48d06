//! Answers remembered under an idempotency key.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::timestamp::Timestamp;

/// How long a key is remembered (WorkOS API reference,
/// <https://workos.com/docs/reference/idempotency>).
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// An answer that was given before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) http_status: u16,
    pub(crate) response: String,
}

/// The moment before which a key has expired; a key is gone exactly 24 hours after its answer.
fn horizon(now: Timestamp) -> i64 {
    now.as_millis()
        .saturating_sub(i64::try_from(REMEMBERED_FOR.as_millis()).unwrap_or(i64::MAX))
}

/// The answer given under `key` within the last 24 hours. `scope` stands for the API key: two of
/// them never share an answer.
pub(crate) fn recall(
    tx: &Transaction<'_>,
    scope: &[u8],
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Remembered>> {
    tx.prepare_cached("SELECT http_status, response FROM idempotency WHERE scope = ?1 AND key = ?2 AND created_at > ?3")?
        .query_row(params![scope, key, horizon(now)], |row| Ok(Remembered { http_status: row.get(0)?, response: row.get(1)? }))
        .optional()
}

/// Keeps an answer for 24 hours, and forgets the expired ones, so that the table holds one day at
/// most.
pub(crate) fn remember(
    tx: &Transaction<'_>,
    scope: &[u8],
    key: &str,
    http_status: u16,
    response: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM idempotency WHERE created_at <= ?1")?
        .execute([horizon(now)])?;
    tx.prepare_cached("INSERT OR REPLACE INTO idempotency (scope, key, http_status, response, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![scope, key, http_status, response, now.as_millis()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::writer::Writer;

    const DAY: i64 = 24 * 60 * 60 * 1_000;

    #[test]
    fn a_key_is_forgotten_exactly_after_a_day() {
        let writer = Writer::open(&Data::Memory).unwrap();
        let start = 1_000_000_000_000;
        writer
            .transact(|tx| remember(tx, b"a", "k", 200, "{}", Timestamp::from_millis(start)))
            .unwrap();
        let at = |millis| {
            writer
                .transact(|tx| recall(tx, b"a", "k", Timestamp::from_millis(millis)))
                .unwrap()
        };
        assert_eq!(
            at(start + DAY - 1),
            Some(Remembered {
                http_status: 200,
                response: "{}".to_owned()
            })
        );
        assert_eq!(at(start + DAY), None);
    }

    #[test]
    fn a_key_of_another_scope_is_another_key() {
        let writer = Writer::open(&Data::Memory).unwrap();
        let now = Timestamp::from_millis(0);
        writer
            .transact(|tx| remember(tx, b"a", "k", 200, "{}", now))
            .unwrap();
        assert_eq!(
            writer.transact(|tx| recall(tx, b"b", "k", now)).unwrap(),
            None
        );
        assert_eq!(
            writer.transact(|tx| recall(tx, b"a", "j", now)).unwrap(),
            None
        );
    }

    #[test]
    fn expired_keys_do_not_pile_up() {
        let writer = Writer::open(&Data::Memory).unwrap();
        for day in 1..=3 {
            writer
                .transact(|tx| {
                    remember(
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
        let rows: i64 = writer
            .transact(|tx| tx.query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(rows, 1);
    }
}
