//! Exports, and the pages of the audit log that they read.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::records::ExportFilters;
use crate::timestamp::Timestamp;

/// The number of exports that are kept; the oldest are deleted.
const EXPORT_ROWS: u32 = 1_000;

/// The limits of one page of an export, in events and in bytes of their text.
const PAGE_EVENTS: u32 = 1_000;
const PAGE_BYTES: usize = 512 * 1_024;

/// An export as requested.
#[derive(Clone, Debug)]
pub(crate) struct ExportRow {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    /// In milliseconds since 1970: `range_start` ≤ `occurred_at` < `range_end`.
    pub(crate) range_start: i64,
    pub(crate) range_end: i64,
    pub(crate) filters: ExportFilters,
    /// The newest event when the export was created; later ones are not part of it.
    pub(crate) last_seq: i64,
    /// `true` if it ends as `error` instead of `ready`.
    pub(crate) fails: bool,
    pub(crate) created_at: Timestamp,
}

/// Stores an export of the present events, and returns it with `last_seq` set.
pub(crate) fn add_export(
    tx: &Transaction<'_>,
    mut export: ExportRow,
) -> rusqlite::Result<ExportRow> {
    export.last_seq = tx
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?
        .query_row([], |row| row.get(0))?;
    let filters = serde_json::to_string(&export.filters)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    tx.prepare_cached(
        "INSERT INTO exports (id, organization_id, range_start, range_end, filters, last_seq, fails, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        export.id,
        export.organization_id,
        export.range_start,
        export.range_end,
        filters,
        export.last_seq,
        export.fails,
        export.created_at.as_millis(),
    ])?;
    tx.prepare_cached("DELETE FROM exports WHERE seq <= (SELECT max(seq) FROM exports) - ?1")?
        .execute([EXPORT_ROWS])?;
    Ok(export)
}

pub(crate) fn find_export(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<ExportRow>> {
    tx.prepare_cached(
        "SELECT id, organization_id, range_start, range_end, filters, last_seq, fails, created_at FROM exports WHERE id = ?1",
    )?
    .query_row([id], from_row)
    .optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ExportRow> {
    let filters: String = row.get(4)?;
    Ok(ExportRow {
        id: row.get(0)?,
        organization_id: row.get(1)?,
        range_start: row.get(2)?,
        range_end: row.get(3)?,
        filters: serde_json::from_str(&filters).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, Type::Text, error.into())
        })?,
        last_seq: row.get(5)?,
        fails: row.get(6)?,
        created_at: Timestamp::from_millis(row.get(7)?),
    })
}

/// The event after which a page begins, in the order of an export: by `occurred_at`, then by `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportPosition {
    occurred_at: i64,
    seq: i64,
}

impl ExportPosition {
    pub(crate) fn start(export: &ExportRow) -> Self {
        Self {
            occurred_at: export.range_start,
            seq: 0,
        }
    }
}

/// A page of events as they were sent, and the position of the next page; `None` at the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExportPage {
    pub(crate) events: Vec<String>,
    pub(crate) next: Option<ExportPosition>,
}

/// Reads the accepted events of the export's organization and range after `position`. The caller
/// applies the filters.
pub(crate) fn export_page(
    tx: &Transaction<'_>,
    export: &ExportRow,
    position: ExportPosition,
) -> rusqlite::Result<ExportPage> {
    let mut statement = tx.prepare_cached(
        "SELECT occurred_at, seq, event FROM events INDEXED BY events_by_time
         WHERE status = 'accepted' AND organization_id = ?1 AND (occurred_at, seq) > (?2, ?3) AND occurred_at < ?4 AND seq <= ?5
         ORDER BY occurred_at, seq LIMIT ?6",
    )?;
    let mut rows = statement.query(params![
        export.organization_id,
        position.occurred_at,
        position.seq,
        export.range_end,
        export.last_seq,
        PAGE_EVENTS,
    ])?;
    let mut page = ExportPage {
        events: Vec::new(),
        next: None,
    };
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event: String = row.get(2)?;
        bytes += event.len();
        page.events.push(event);
        page.next = Some(ExportPosition {
            occurred_at: row.get(0)?,
            seq: row.get(1)?,
        });
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::config::Data;
    use crate::records::EventStatus;
    use crate::store::events::{NewEvent, insert_event};
    use crate::store::store::Store;

    fn export(range: (i64, i64)) -> ExportRow {
        ExportRow {
            id: format!("audit_log_export_{}", range.0),
            organization_id: "org_1".to_owned(),
            range_start: range.0,
            range_end: range.1,
            filters: ExportFilters::default(),
            last_seq: 0,
            fails: false,
            created_at: Timestamp::from_millis(0),
        }
    }

    /// Stores events with these values of `occurred_at`, each of this many bytes.
    fn store(times: &[i64], bytes: usize) -> Store {
        let store = Store::open(&Data::Memory).unwrap();
        store
            .transact(|tx| {
                for time in times {
                    let text = format!("\"{}{time}\"", "0".repeat(bytes - 1));
                    insert_event(
                        tx,
                        NewEvent {
                            received_at: Timestamp::from_millis(0),
                            occurred_at: Some(*time),
                            idempotency_key: None,
                            organization_id: Some("org_1".to_owned()),
                            action: Some("a".to_owned()),
                            status: EventStatus::Accepted,
                            http_status: 200,
                            response: "{}".to_owned(),
                            reasons: Vec::new(),
                            event: Some(RawValue::from_string(text).unwrap()),
                        },
                    )?;
                }
                Ok(())
            })
            .unwrap();
        store
    }

    /// Returns the values of `occurred_at` of each page.
    fn pages(store: &Store, range: (i64, i64)) -> Vec<Vec<i64>> {
        let export = store.transact(|tx| add_export(tx, export(range))).unwrap();
        let mut pages = Vec::new();
        let mut next = Some(ExportPosition::start(&export));
        while let Some(position) = next {
            let page = store
                .transact(|tx| export_page(tx, &export, position))
                .unwrap();
            let times = page.events.iter();
            pages.push(
                times
                    .map(|text| text.trim_matches('"').parse().unwrap())
                    .collect(),
            );
            next = page.next;
        }
        pages
    }

    #[test]
    fn range_includes_its_start_and_excludes_its_end() {
        let store = store(&[4, 1, 2, 3, 2], 1);
        assert_eq!(pages(&store, (2, 4)), [vec![2, 2, 3], vec![]]);
        assert_eq!(pages(&store, (-9, 2)), [vec![1], vec![]]);
    }

    #[test]
    fn page_is_limited_in_bytes_and_events() {
        let large = store(&[1, 1, 1], PAGE_BYTES / 2);
        assert_eq!(pages(&large, (0, 9)), [vec![1, 1], vec![1], vec![]]);
        let many = store(&vec![5; 1_001], 1);
        let lengths: Vec<_> = pages(&many, (0, 9)).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1_000, 1, 0]);
    }

    #[test]
    fn later_events_are_not_part_of_an_export() {
        let store = store(&[1], 1);
        let export = store.transact(|tx| add_export(tx, export((0, 9)))).unwrap();
        assert_eq!(export.last_seq, 1);
        assert_eq!(
            store
                .transact(|tx| find_export(tx, &export.id))
                .unwrap()
                .unwrap()
                .last_seq,
            1
        );
    }

    #[test]
    fn page_is_read_from_the_index() {
        let store = store(&[], 1);
        let plan: String = store
            .transact(|tx| {
                tx.query_row(
                    "EXPLAIN QUERY PLAN SELECT occurred_at, seq, event FROM events INDEXED BY events_by_time
                     WHERE status = 'accepted' AND organization_id = 'o' AND (occurred_at, seq) > (1, 2) AND occurred_at < 3 AND seq <= 4
                     ORDER BY occurred_at, seq LIMIT 5",
                    [],
                    |row| row.get(3),
                )
            })
            .unwrap();
        assert!(
            plan.starts_with("SEARCH events USING INDEX events_by_time (organization_id=?"),
            "{plan}"
        );
    }
}
