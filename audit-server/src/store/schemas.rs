//! Actions and the versions of their schemas.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::page::{Listing, Page, PageRequest};
use crate::timestamp::Timestamp;

/// One version of an action's schema.
#[derive(Debug)]
pub(crate) struct SchemaRow {
    pub(crate) id: i64,
    pub(crate) version: i64,
    /// The validated definition as JSON: `actor`, `targets`, `metadata`.
    pub(crate) definition: String,
    pub(crate) created_at: Timestamp,
}

/// An action with the newest version of its schema.
#[derive(Debug)]
pub(crate) struct ActionRow {
    pub(crate) name: String,
    pub(crate) schema: SchemaRow,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Adds the next version of an action's schema, and the action if it is new.
pub(crate) fn add_schema(
    tx: &Transaction<'_>,
    action: &str,
    definition: String,
    now: Timestamp,
) -> rusqlite::Result<SchemaRow> {
    let action_id: i64 = tx
        .prepare_cached(
            "INSERT INTO actions (name, created_at, updated_at) VALUES (?1, ?2, ?2)
             ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at RETURNING id",
        )?
        .query_row(params![action, now.as_millis()], |row| row.get(0))?;
    tx.prepare_cached(
        "INSERT INTO schemas (action_id, version, definition, created_at)
         SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM schemas WHERE action_id = ?1
         RETURNING id, version, definition, created_at",
    )?
    .query_row(params![action_id, definition, now.as_millis()], |row| {
        schema_at(row, 0)
    })
}

/// Returns this version of an action's schema, if it exists.
pub(crate) fn find_schema(
    tx: &Transaction<'_>,
    action: &str,
    version: i64,
) -> rusqlite::Result<Option<SchemaRow>> {
    tx.prepare_cached(
        "SELECT s.id, s.version, s.definition, s.created_at FROM schemas s JOIN actions a ON a.id = s.action_id
         WHERE a.name = ?1 AND s.version = ?2",
    )?
    .query_row(params![action, version], |row| schema_at(row, 0))
    .optional()
}

pub(crate) fn action_exists(tx: &Transaction<'_>, action: &str) -> rusqlite::Result<bool> {
    Ok(action_id(tx, action)?.is_some())
}

/// Returns every action's name, to find the nearest one to an unknown name.
pub(crate) fn action_names(tx: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached("SELECT name FROM actions ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

pub(crate) fn list_actions(
    tx: &Transaction<'_>,
    request: PageRequest,
) -> rusqlite::Result<Page<ActionRow>> {
    let listing = Listing {
        id: "a.id",
        columns: "a.id, a.name, a.created_at, a.updated_at, s.id, s.version, s.definition, s.created_at",
        rows: "actions a JOIN schemas s ON s.action_id = a.id
               WHERE ?1 IS NULL AND s.version = (SELECT max(version) FROM schemas WHERE action_id = a.id)",
        read: |row| {
            Ok(ActionRow {
                name: row.get(1)?,
                created_at: Timestamp::from_millis(row.get(2)?),
                updated_at: Timestamp::from_millis(row.get(3)?),
                schema: schema_at(row, 4)?,
            })
        },
    };
    listing.page(tx, None, request)
}

/// Returns the versions of an action's schema; `None` if the action is unknown.
pub(crate) fn list_schemas(
    tx: &Transaction<'_>,
    action: &str,
    request: PageRequest,
) -> rusqlite::Result<Option<Page<SchemaRow>>> {
    let Some(action_id) = action_id(tx, action)? else {
        return Ok(None);
    };
    let listing = Listing {
        id: "id",
        columns: "id, version, definition, created_at",
        rows: "schemas WHERE action_id = ?1",
        read: |row| schema_at(row, 0),
    };
    listing.page(tx, Some(action_id), request).map(Some)
}

fn action_id(tx: &Transaction<'_>, action: &str) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached("SELECT id FROM actions WHERE name = ?1")?
        .query_row([action], |row| row.get(0))
        .optional()
}

fn schema_at(row: &Row<'_>, at: usize) -> rusqlite::Result<SchemaRow> {
    Ok(SchemaRow {
        id: row.get(at)?,
        version: row.get(at + 1)?,
        definition: row.get(at + 2)?,
        created_at: Timestamp::from_millis(row.get(at + 3)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::page::{Order, Position};
    use crate::store::store::Store;

    #[test]
    fn versions_count_up_for_each_action_separately() {
        let store = Store::open(&Data::Memory).unwrap();
        let add = |action: &str| {
            store
                .transact(|tx| add_schema(tx, action, "{}".to_owned(), Timestamp::from_millis(0)))
                .unwrap()
                .version
        };
        assert_eq!((add("a"), add("a"), add("b"), add("a")), (1, 2, 1, 3));
    }

    #[test]
    fn action_is_listed_with_its_newest_schema_and_its_own_dates() {
        let store = Store::open(&Data::Memory).unwrap();
        let page = store
            .transact(|tx| {
                add_schema(tx, "a", r#"{"n":1}"#.to_owned(), Timestamp::from_millis(1))?;
                add_schema(tx, "a", r#"{"n":2}"#.to_owned(), Timestamp::from_millis(2))?;
                list_actions(
                    tx,
                    PageRequest {
                        limit: 10,
                        order: Order::Desc,
                        position: Position::Start,
                    },
                )
            })
            .unwrap();
        let [action] = page.items.as_slice() else {
            panic!("one action, not {:?}", page.items)
        };
        assert_eq!(
            (action.schema.version, action.schema.definition.as_str()),
            (2, r#"{"n":2}"#)
        );
        assert_eq!(
            (action.created_at, action.updated_at),
            (Timestamp::from_millis(1), Timestamp::from_millis(2))
        );
    }

    #[test]
    fn unknown_version_is_not_found() {
        let store = Store::open(&Data::Memory).unwrap();
        let find = |version| {
            store
                .transact(|tx| {
                    add_schema(tx, "a", "{}".to_owned(), Timestamp::from_millis(0))?;
                    find_schema(tx, "a", version)
                })
                .unwrap()
                .is_some()
        };
        assert!(find(1));
        assert!(!find(0) && !find(99) && !find(-1));
    }
}
