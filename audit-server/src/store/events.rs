//! The events, accepted and rejected, in the order in which they were received.

use rusqlite::types::{ToSql, Type};
use rusqlite::{Row, Transaction, params, params_from_iter};
use serde_json::value::RawValue;

use super::counters::count_event;
use crate::records::{EventFilter, EventStatus, StoredEvent};
use crate::timestamp::Timestamp;

/// The number of rejected events that are kept; the oldest are deleted.
const REJECTED_ROWS: u32 = 1_000;

/// The largest rejected event that is kept, in bytes: a thousand of them stay under 64 MB.
const REJECTED_EVENT_BYTES: usize = 64 * 1_024;

/// A row to insert: everything except its number.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) received_at: Timestamp,
    /// The time it happened, in milliseconds since 1970; only for an accepted event.
    pub(crate) occurred_at: Option<i64>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) status: EventStatus,
    pub(crate) http_status: u16,
    pub(crate) response: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) event: Option<Box<RawValue>>,
}

/// Inserts and counts an event, and trims the rejected ones.
pub(crate) fn insert_event(tx: &Transaction<'_>, event: NewEvent) -> rusqlite::Result<StoredEvent> {
    let event_bytes = event.event.as_deref().map_or(0, |event| event.get().len());
    let rejected = event.status == EventStatus::Rejected;
    let kept = event
        .event
        .filter(|_| !rejected || event_bytes <= REJECTED_EVENT_BYTES);
    let reasons = serde_json::to_string(&event.reasons)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let event_bytes = u64::try_from(event_bytes).unwrap_or(u64::MAX);
    tx.prepare_cached(
        "INSERT INTO events (received_at, idempotency_key, organization_id, action, status, http_status, response, reasons, event, event_bytes, occurred_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        event.received_at.as_millis(),
        event.idempotency_key,
        event.organization_id,
        event.action,
        event.status.as_str(),
        event.http_status,
        event.response,
        reasons,
        kept.as_deref().map(RawValue::get),
        i64::try_from(event_bytes).unwrap_or(i64::MAX),
        event.occurred_at,
    ])?;
    let seq = tx.last_insert_rowid().unsigned_abs();
    count_event(tx, event.status)?;
    if rejected {
        tx.prepare_cached(
            "DELETE FROM events WHERE status = 'rejected'
             AND seq <= (SELECT seq FROM events WHERE status = 'rejected' ORDER BY seq DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([REJECTED_ROWS])?;
    }
    Ok(StoredEvent {
        seq,
        received_at: event.received_at,
        idempotency_key: event.idempotency_key,
        organization_id: event.organization_id,
        action: event.action,
        status: event.status,
        http_status: event.http_status,
        response: RawValue::from_string(event.response)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
        reasons: event.reasons,
        event: kept,
        event_bytes,
    })
}

/// Returns the events that match the filter, in its order.
pub(crate) fn list_events(
    tx: &Transaction<'_>,
    filter: &EventFilter,
) -> rusqlite::Result<Vec<StoredEvent>> {
    Ok(list_page(tx, filter, usize::MAX)?.0)
}

/// As [`list_events`], but stops once the events' text reaches `bytes`. The second value is `true`
/// if more rows match.
pub(crate) fn list_page(
    tx: &Transaction<'_>,
    filter: &EventFilter,
    bytes: usize,
) -> rusqlite::Result<(Vec<StoredEvent>, bool)> {
    let selection = Selection::new(filter);
    let direction = if filter.newest_first { "DESC" } else { "ASC" };
    let limit = filter.limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    // No LIMIT: rows are read one by one, until there are enough.
    let sql = format!(
        "SELECT seq, received_at, idempotency_key, organization_id, action, status, http_status, response, reasons, event, event_bytes
         {} ORDER BY seq {direction}",
        selection.sql
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&selection.values))?;
    let mut events = Vec::new();
    let mut read = 0;
    while let Some(row) = rows.next()? {
        if events.len() >= limit || read >= bytes {
            return Ok((events, true));
        }
        let event = from_row(row)?;
        read += event.event_json().map_or(0, str::len) + event.response.get().len();
        events.push(event);
    }
    Ok((events, false))
}

/// Counts the events that match the filter; its limit and order have no effect.
pub(crate) fn count_events(tx: &Transaction<'_>, filter: &EventFilter) -> rusqlite::Result<u64> {
    let selection = Selection::new(filter);
    let count: i64 = tx
        .prepare_cached(&format!("SELECT count(*) {}", selection.sql))?
        .query_row(params_from_iter(&selection.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Returns the `seq` of the newest event; 0 if there never was one.
pub(crate) fn last_event(tx: &Transaction<'_>) -> rusqlite::Result<u64> {
    let last: i64 = tx
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?
        .query_row([], |row| row.get(0))?;
    Ok(last.unsigned_abs())
}

/// The `FROM` and `WHERE` clauses of a filter.
struct Selection {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Selection {
    /// Names the index explicitly, so that the cost of a page does not depend on the planner's
    /// statistics.
    ///
    /// Every index ends with `seq`: a page starts at its cursor, and is in order without sorting. A
    /// page of accepted events only skips the few rejected ones in between.
    fn new(filter: &EventFilter) -> Self {
        let index = match (&filter.organization, &filter.action, filter.status) {
            (_, _, Some(EventStatus::Rejected)) => "INDEXED BY events_rejected",
            (Some(_), Some(_), _) => "INDEXED BY events_by_organization_and_action",
            (Some(_), None, _) => "INDEXED BY events_by_organization",
            (None, Some(_), _) => "INDEXED BY events_by_action",
            (None, None, _) => "NOT INDEXED",
        };
        let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let mut sql = format!("FROM events {index} WHERE seq > ?1 AND seq < ?2");
        let mut values: Vec<Box<dyn ToSql>> = vec![
            Box::new(bound(filter.after.unwrap_or(0))),
            Box::new(bound(filter.before.unwrap_or(u64::MAX))),
        ];
        for (column, text) in [
            ("organization_id", &filter.organization),
            ("action", &filter.action),
        ] {
            if let Some(text) = text {
                values.push(Box::new(text.clone()));
                sql.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        }
        // As a literal, not a parameter: only then may the index over rejected rows be used.
        sql.push_str(match filter.status {
            None => "",
            Some(EventStatus::Accepted) => " AND status = 'accepted'",
            Some(EventStatus::Rejected) => " AND status = 'rejected'",
        });
        Self { sql, values }
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let status: String = row.get(5)?;
    let status = EventStatus::parse(&status)
        .ok_or_else(|| corrupt(5, format!("the status `{status}` is unknown").into()))?;
    let reasons: String = row.get(8)?;
    let event: Option<String> = row.get(9)?;
    Ok(StoredEvent {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        received_at: Timestamp::from_millis(row.get(1)?),
        idempotency_key: row.get(2)?,
        organization_id: row.get(3)?,
        action: row.get(4)?,
        status,
        http_status: row.get(6)?,
        response: RawValue::from_string(row.get(7)?).map_err(|error| corrupt(7, error.into()))?,
        reasons: serde_json::from_str(&reasons).map_err(|error| corrupt(8, error.into()))?,
        event: event
            .map(RawValue::from_string)
            .transpose()
            .map_err(|error| corrupt(9, error.into()))?,
        event_bytes: row.get::<_, i64>(10)?.unsigned_abs(),
    })
}

fn corrupt(column: usize, source: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::counters::stats;
    use crate::store::store::Store;

    fn event(status: EventStatus, json: &str) -> NewEvent {
        NewEvent {
            received_at: Timestamp::from_millis(5),
            occurred_at: Some(5),
            idempotency_key: Some("key".to_owned()),
            organization_id: Some("org_1".to_owned()),
            action: Some("a.b".to_owned()),
            status,
            http_status: if status == EventStatus::Accepted {
                200
            } else {
                400
            },
            response: "{}".to_owned(),
            reasons: vec!["because".to_owned()],
            event: Some(RawValue::from_string(json.to_owned()).unwrap()),
        }
    }

    #[test]
    fn listed_event_equals_the_inserted_one() {
        let store = Store::open(&Data::Memory).unwrap();
        let inserted = store
            .transact(|tx| insert_event(tx, event(EventStatus::Rejected, "{ \"a\": 1.10 }")))
            .unwrap();
        let listed = store
            .transact(|tx| list_events(tx, &EventFilter::new()))
            .unwrap();
        assert_eq!(
            serde_json::to_string(&listed).unwrap(),
            serde_json::to_string(&[inserted]).unwrap()
        );
        assert_eq!(listed[0].event_json(), Some("{ \"a\": 1.10 }"));
    }

    #[test]
    fn rejected_events_are_trimmed_and_accepted_ones_are_not() {
        let store = Store::open(&Data::Memory).unwrap();
        store
            .transact(|tx| {
                insert_event(tx, event(EventStatus::Accepted, "{}"))?;
                for _ in 0..REJECTED_ROWS + 3 {
                    insert_event(tx, event(EventStatus::Rejected, "{}"))?;
                }
                Ok(())
            })
            .unwrap();
        let rows = |filter| store.transact(|tx| list_events(tx, &filter)).unwrap();
        let rejected = rows(EventFilter::new().status(EventStatus::Rejected));
        assert_eq!((rejected.len(), rejected[0].seq()), (1_000, 5));
        assert_eq!(
            rows(EventFilter::new().status(EventStatus::Accepted)).len(),
            1
        );
        let stats = store.transact(stats).unwrap();
        assert_eq!((stats.accepted(), stats.rejected()), (1, 1_003));
    }

    #[test]
    fn large_event_is_kept_if_accepted_and_only_measured_if_rejected() {
        let store = Store::open(&Data::Memory).unwrap();
        let json = format!("\"{}\"", "x".repeat(REJECTED_EVENT_BYTES));
        let accepted = store
            .transact(|tx| insert_event(tx, event(EventStatus::Accepted, &json)))
            .unwrap();
        assert_eq!(accepted.event_json(), Some(json.as_str()));
        let rejected = store
            .transact(|tx| insert_event(tx, event(EventStatus::Rejected, &json)))
            .unwrap();
        assert_eq!(
            (rejected.event_json(), rejected.event_bytes()),
            (None, json.len() as u64)
        );
    }

    #[test]
    fn filters_narrow_together() {
        let store = Store::open(&Data::Memory).unwrap();
        store
            .transact(|tx| {
                for (organization, action) in [
                    ("org_1", "a"),
                    ("org_1", "b"),
                    ("org_2", "a"),
                    ("org_1", "a"),
                ] {
                    let mut row = event(EventStatus::Accepted, "{}");
                    row.organization_id = Some(organization.to_owned());
                    row.action = Some(action.to_owned());
                    insert_event(tx, row)?;
                }
                Ok(())
            })
            .unwrap();
        let seqs = |filter| {
            store
                .transact(|tx| list_events(tx, &filter))
                .unwrap()
                .iter()
                .map(StoredEvent::seq)
                .collect::<Vec<_>>()
        };
        let both = EventFilter::new().organization("org_1").action("a");
        assert_eq!(seqs(both.clone()), [1, 4]);
        assert_eq!(seqs(both.clone().after(1)), [4]);
        assert_eq!(seqs(both.clone().limit(1)), [1]);
        assert_eq!(seqs(EventFilter::new().after(u64::MAX)), [0_u64; 0]);
        assert_eq!(seqs(EventFilter::new().newest_first()), [4, 3, 2, 1]);
        assert_eq!(seqs(both.clone().newest_first().before(4)), [1]);
        let count = |filter| store.transact(|tx| count_events(tx, &filter)).unwrap();
        assert_eq!((count(both.clone()), count(both.after(1))), (2, 1));
    }

    #[test]
    fn every_filter_is_read_from_an_index_and_never_sorted() {
        let store = Store::open(&Data::Memory).unwrap();
        let text = || Some("x".to_owned());
        for organization in [None, text()] {
            for action in [None, text()] {
                for status in [
                    None,
                    Some(EventStatus::Accepted),
                    Some(EventStatus::Rejected),
                ] {
                    let filter = EventFilter {
                        organization: organization.clone(),
                        action: action.clone(),
                        status,
                        ..EventFilter::new()
                    };
                    let Selection { sql, values } = Selection::new(&filter);
                    let sql = format!("EXPLAIN QUERY PLAN SELECT event {sql} ORDER BY seq DESC");
                    let plan: Vec<String> = store
                        .transact(|tx| {
                            tx.prepare(&sql)?
                                .query_map(params_from_iter(&values), |row| row.get(3))?
                                .collect()
                        })
                        .unwrap();
                    assert_eq!(plan.len(), 1, "{filter:?}: {plan:?}");
                    assert!(plan[0].starts_with("SEARCH events USING"), "{plan:?}");
                }
            }
        }
    }

    #[test]
    fn page_is_limited_in_rows_and_bytes_and_reports_more() {
        let store = Store::open(&Data::Memory).unwrap();
        let page = |limit, bytes| {
            let filter = EventFilter::new().limit(limit);
            let (rows, more) = store.transact(|tx| list_page(tx, &filter, bytes)).unwrap();
            (rows.len(), more)
        };
        assert_eq!(page(3, 9), (0, false));
        store
            .transact(|tx| {
                for _ in 0..3 {
                    insert_event(tx, event(EventStatus::Accepted, "\"123456\""))?;
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(page(3, usize::MAX), (3, false));
        assert_eq!(page(2, usize::MAX), (2, true));
        assert_eq!(page(3, 11), (2, true), "each has ten bytes");
    }
}
