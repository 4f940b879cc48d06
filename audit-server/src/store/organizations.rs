//! The organizations that the server accepts events for.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::records::Organization;
use crate::timestamp::Timestamp;

/// Adds an organization; an existing one stays unchanged. The second value is `true` if it is new.
pub(crate) fn add_organization(
    tx: &Transaction<'_>,
    id: &str,
    name: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<(Organization, bool)> {
    let inserted = tx
        .prepare_cached("INSERT INTO organizations (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING")?
        .execute(params![id, name, now.as_millis()])?;
    let organization = tx
        .prepare_cached("SELECT id, name, created_at FROM organizations WHERE id = ?1")?
        .query_row([id], from_row)?;
    Ok((organization, inserted == 1))
}

pub(crate) fn has_organization(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<bool> {
    let found = tx
        .prepare_cached("SELECT 1 FROM organizations WHERE id = ?1")?
        .query_row([id], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Returns all organizations, in the order in which they were added.
pub(crate) fn list_organizations(tx: &Transaction<'_>) -> rusqlite::Result<Vec<Organization>> {
    tx.prepare_cached("SELECT id, name, created_at FROM organizations ORDER BY seq")?
        .query_map([], from_row)?
        .collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization::new(
        row.get(0)?,
        row.get(1)?,
        Timestamp::from_millis(row.get(2)?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Data;
    use crate::store::store::Store;

    #[test]
    fn adding_an_existing_organization_changes_nothing() {
        let store = Store::open(&Data::Memory).unwrap();
        let now = Timestamp::from_millis(0);
        let (first, new) = store
            .transact(|tx| add_organization(tx, "org_1", Some("One"), now))
            .unwrap();
        assert!(new);
        let (second, new) = store
            .transact(|tx| add_organization(tx, "org_1", Some("Other"), now))
            .unwrap();
        assert!(!new);
        assert_eq!(first, second);
        assert_eq!(store.transact(list_organizations).unwrap(), [first]);
        assert!(store.transact(|tx| has_organization(tx, "org_1")).unwrap());
        assert!(!store.transact(|tx| has_organization(tx, "org_2")).unwrap());
    }
}
