//! The header of the file: identifies a spool and its layout, and creates the tables.

use rusqlite::{Connection, TransactionBehavior};

/// `AuSp` in ASCII: marks a file as a spool, so that the database of another program is never
/// written to.
pub(super) const APPLICATION_ID: i32 = 0x4175_5370;
/// The layout of the tables.
///
/// A released layout is never changed; a later one must be able to read it, and must
/// change, add or remove a table, by which a newer version is distinguished from a corrupt number.
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
    create(connection)?;
    Ok(FileKind::Spool)
}

/// Creates the tables in an empty database.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    // SQLite accepts this only before the first table exists.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
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
        (APPLICATION_ID, VERSION)
            if tables_are_of_this_version(connection)? && schema_is_intact(connection)? =>
        {
            FileKind::Spool
        }
        (APPLICATION_ID, VERSION) => FileKind::Corrupt,
        (APPLICATION_ID, newer) if newer > VERSION && !tables_are_of_this_version(connection)? => {
            FileKind::Newer(newer)
        }
        (0, 0) if tables("")? == 0 => return Ok(None),
        _ if tables("AND name IN ('pending', 'dead_letters', 'totals')")? == 3 => FileKind::Corrupt,
        _ => FileKind::Foreign,
    }))
}

/// Returns `true` if the file has the tables of this version and no others, each where it was
/// created.
///
/// With another root, a table would be read and written as another one.
fn tables_are_of_this_version(connection: &Connection) -> rusqlite::Result<bool> {
    let mut reference = Connection::open_in_memory()?;
    create(&mut reference)?;
    Ok(tables(connection)? == tables(&reference)?)
}

/// Checks the structure of the first page, in which a later table would be entered.
fn schema_is_intact(connection: &Connection) -> rusqlite::Result<bool> {
    let found: String =
        connection.query_row("PRAGMA quick_check(sqlite_schema)", [], |row| row.get(0))?;
    Ok(found == "ok")
}

/// Returns the root of each table, with the columns and their types.
///
/// Tables that are only created when they are needed have any root, and are left out.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name || ' ' || rootpage || ' ' || (
             SELECT group_concat(name || ' ' || type || \"notnull\" || pk) FROM pragma_table_info(sqlite_schema.name)
         ) FROM sqlite_schema
         WHERE type = 'table' AND name NOT IN ('redrive_requests', 'rebuilds') ORDER BY name",
    )?;
    let tables = statement.query_map([], |row| row.get::<_, Option<String>>(0))?;
    tables.map(|table| Ok(table?.unwrap_or_default())).collect()
}

/// Reads the layout that the header states.
pub(super) fn layout(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
