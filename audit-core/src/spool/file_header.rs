//! The header of the file: identifies a spool and its layout, and creates the tables.

use rusqlite::{Connection, TransactionBehavior};

/// `AuSp` in ASCII: marks a file as a spool, so that the database of another program is never
/// written to.
const APPLICATION_ID: i32 = 0x4175_5370;
/// The layout of the tables.
///
/// A released layout is never changed; a later one must be able to read it.
pub(super) const VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// The kind of a file, by its header and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A spool in the layout of this version.
    Spool,
    /// A spool in the layout of a newer version.
    Newer(i32),
    /// A database of another program.
    Foreign,
    /// A spool whose header is corrupt.
    Corrupt,
}

/// Identifies the file. Turns an empty one into a spool, in one transaction.
pub(super) fn identify_or_create(connection: &mut Connection) -> rusqlite::Result<FileKind> {
    if let Some(kind) = identify(connection)? {
        return Ok(kind);
    }
    // SQLite accepts this only before the first table exists.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    Ok(FileKind::Spool)
}

/// Identifies the file; `None` if it is empty.
pub(super) fn identify(connection: &Connection) -> rusqlite::Result<Option<FileKind>> {
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
        (APPLICATION_ID, VERSION) => FileKind::Spool,
        (APPLICATION_ID, newer) if newer > VERSION => FileKind::Newer(newer),
        (0, 0) if tables("")? == 0 => return Ok(None),
        _ if tables("AND name IN ('pending', 'dead_letters', 'totals')")? == 3 => FileKind::Corrupt,
        _ => FileKind::Foreign,
    }))
}

/// Reads the layout that the header states.
pub(super) fn layout(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
