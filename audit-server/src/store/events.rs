//! The events, accepted and rejected, in the order in which they were received.

use rusqlite::types::{ToSql, Type};
use rusqlite::{Row, Transaction, params, params_from_iter};
use serde_json::value::RawValue;

use super::counters::count_event;
use crate::stored::{EventFilter, EventStatus, StoredEvent};
use crate::timestamp::Timestamp;

/// How many rejected events are kept; older ones make way.
const REJECTED_ROWS: u32 = 1_000;

/// The largest rejected event that is kept, in bytes: a thousand of them stay under 64 MB.
const REJECTED_EVENT_BYTES: usize = 64 * 1_024;

/// A row to be: everything but its number.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) received_at: Timestamp,
    /// When it happened, in milliseconds since 1970; of an accepted event only.
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

/// Stores and counts an event, and trims the rejected ones.
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

/// The events that pass the filter, oldest first.
pub(crate) fn list_events(
    tx: &Transaction<'_>,
    filter: &EventFilter,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut sql = "SELECT seq, received_at, idempotency_key, organization_id, action, status, http_status, response, reasons, event, event_bytes
                   FROM events WHERE seq > ?1"
        .to_owned();
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(
        filter
            .after
            .map_or(0, |seq| i64::try_from(seq).unwrap_or(i64::MAX)),
    )];
    let mut narrow = |clause: &str, value: Box<dyn ToSql>| {
        values.push(value);
        sql.push_str(&format!(" {clause} ?{}", values.len()));
    };
    if let Some(organization) = &filter.organization {
        narrow("AND organization_id =", Box::new(organization.clone()));
    }
    if let Some(action) = &filter.action {
        narrow("AND action =", Box::new(action.clone()));
    }
    if let Some(status) = filter.status {
        narrow("AND status =", Box::new(status.as_str()));
    }
    // SQLite reads a negative limit as none.
    narrow(
        "ORDER BY seq LIMIT",
        Box::new(filter.limit.map_or(-1, i64::from)),
    );
    tx.prepare_cached(&sql)?
        .query_map(params_from_iter(values), from_row)?
        .collect()
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
    use crate::store::{Writer, stats};

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
    fn what_is_listed_is_what_was_inserted() {
        let writer = Writer::open(&Data::Memory).unwrap();
        let inserted = writer
            .transact(|tx| insert_event(tx, event(EventStatus::Rejected, "{ \"a\": 1.10 }")))
            .unwrap();
        let listed = writer
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
        let writer = Writer::open(&Data::Memory).unwrap();
        writer
            .transact(|tx| {
                insert_event(tx, event(EventStatus::Accepted, "{}"))?;
                for _ in 0..REJECTED_ROWS + 3 {
                    insert_event(tx, event(EventStatus::Rejected, "{}"))?;
                }
                Ok(())
            })
            .unwrap();
        let rows = |filter| writer.transact(|tx| list_events(tx, &filter)).unwrap();
        let rejected = rows(EventFilter::new().status(EventStatus::Rejected));
        assert_eq!((rejected.len(), rejected[0].seq()), (1_000, 5));
        assert_eq!(
            rows(EventFilter::new().status(EventStatus::Accepted)).len(),
            1
        );
        let stats = writer.transact(stats).unwrap();
        assert_eq!((stats.accepted(), stats.rejected()), (1, 1_003));
    }

    #[test]
    fn a_large_event_is_kept_when_accepted_and_only_measured_when_rejected() {
        let writer = Writer::open(&Data::Memory).unwrap();
        let json = format!("\"{}\"", "x".repeat(REJECTED_EVENT_BYTES));
        let accepted = writer
            .transact(|tx| insert_event(tx, event(EventStatus::Accepted, &json)))
            .unwrap();
        assert_eq!(accepted.event_json(), Some(json.as_str()));
        let rejected = writer
            .transact(|tx| insert_event(tx, event(EventStatus::Rejected, &json)))
            .unwrap();
        assert_eq!(
            (rejected.event_json(), rejected.event_bytes()),
            (None, json.len() as u64)
        );
    }

    #[test]
    fn filters_narrow_together() {
        let writer = Writer::open(&Data::Memory).unwrap();
        writer
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
            writer
                .transact(|tx| list_events(tx, &filter))
                .unwrap()
                .iter()
                .map(StoredEvent::seq)
                .collect::<Vec<_>>()
        };
        let both = EventFilter::new().organization("org_1").action("a");
        assert_eq!(seqs(both.clone()), [1, 4]);
        assert_eq!(seqs(both.clone().after(1)), [4]);
        assert_eq!(seqs(both.limit(1)), [1]);
        assert_eq!(seqs(EventFilter::new().after(u64::MAX)), [0_u64; 0]);
    }
}
