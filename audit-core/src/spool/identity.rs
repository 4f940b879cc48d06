//! What a file is: a spool, of which layout, or something else.

use rusqlite::{Connection, TransactionBehavior};

/// `AuSp` in ASCII: marks a file as a spool, so that another program's database is never written
/// to.
const APPLICATION_ID: i32 = 0x4175_5370;
/// The layout of the tables. A layout that was released is never changed; a new one reads the
/// older.
pub(super) const VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// No number of a row is greater, unless it was damaged: a million events a second come this far in
/// 36,000 years.
pub(super) const MAX_ROW: i64 = 1 << 60;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Spool,
    /// A spool in the layout of a newer version.
    Newer(i32),
    Foreign,
    /// A spool whose marks are gone.
    Corrupt,
}

/// What the file is. An empty one becomes a spool, in one transaction.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<Identity> {
    let identity = identify(connection)?;
    let Some(identity) = identity else {
        // Has to be said before the first table.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
        return Ok(Identity::Spool);
    };
    Ok(identity)
}

/// What the file is; `None` if there is nothing in it.
pub(super) fn identify(connection: &Connection) -> rusqlite::Result<Option<Identity>> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = layout(connection)?;
    let tables = |names: &str| {
        connection.query_row(
            &format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' {names}"),
            [],
            |row| row.get::<_, i64>(0),
        )
    };
    Ok(Some(match (application, version) {
        (APPLICATION_ID, VERSION) => Identity::Spool,
        (APPLICATION_ID, newer) if newer > VERSION => Identity::Newer(newer),
        (0, 0) if tables("")? == 0 => return Ok(None),
        _ if tables("AND name IN ('pending', 'dead', 'totals')")? == 3 => Identity::Corrupt,
        _ => Identity::Foreign,
    }))
}

/// The layout that the file says it has.
pub(super) fn layout(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
