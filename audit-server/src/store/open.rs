//! Opening a database: a new one gets its tables, an old one is recognised, a foreign one is refused.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::config::Data;

/// `AudS` in ASCII: marks a file as one of ours, so that another program's database is never written to.
const APPLICATION_ID: i32 = 0x4175_6453;

/// Counts up with each change of `schema.sql`.
const SCHEMA_VERSION: i32 = 1;

/// How long to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared; the crate has about twenty.
const STATEMENT_CACHE: usize = 32;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the file is a database of another program; choose another file")]
    Foreign,
    #[error(
        "the file has the layout {found} of a newer version of this server, which knows {SCHEMA_VERSION}; update, or choose another file"
    )]
    Newer { found: i32 },
}

pub(crate) fn open(data: &Data) -> Result<Connection, OpenError> {
    let mut connection = match data {
        Data::Memory => Connection::open_in_memory()?,
        Data::File(path) => Connection::open(path)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "foreign_keys", true)?;
    prepare(&mut connection)?;
    if let Data::File(_) = data {
        // A commit survives a crash of the process; only a loss of power can take the last ones, which is fair for a local server.
        // Set after the file was recognised, as the journal mode is written into it.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "normal")?;
    }
    Ok(connection)
}

/// In one transaction, so that two servers that open a new file at once do not both make the tables.
fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let application: i32 = pragma(&tx, "application_id")?;
    let version: i32 = pragma(&tx, "user_version")?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => {}
        (APPLICATION_ID, found) => return Err(OpenError::Newer { found }),
        (0, 0) if tables == 0 => {
            tx.execute_batch(include_str!("schema.sql"))?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        _ => return Err(OpenError::Foreign),
    }
    tx.commit()?;
    Ok(())
}

fn pragma(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<i32> {
    tx.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_wal_mode_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::File(folder.path().join("audit.db"));
        drop(open(&data).unwrap());
        let connection = open(&data).unwrap();
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE t (x)")
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(
            open(&Data::File(path.clone())),
            Err(OpenError::Foreign)
        ));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_newer_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let connection = open(&Data::File(path.clone())).unwrap();
        connection
            .pragma_update(None, "user_version", SCHEMA_VERSION + 1)
            .unwrap();
        drop(connection);
        assert!(
            matches!(open(&Data::File(path)), Err(OpenError::Newer { found }) if found == SCHEMA_VERSION + 1)
        );
    }
}
