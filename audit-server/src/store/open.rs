//! Opens a database: creates the tables of a new one, migrates an old one, rejects a foreign one.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::config::Data;

/// `AudS` in ASCII: marks a file as one of this server, so that another program's database is never
/// written to.
const APPLICATION_ID: i32 = 0x4175_6453;

/// The migrations, in order: a file of version *n* has run the first *n* of them. A released
/// migration is never edited.
const MIGRATIONS: [&str; 2] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
];

/// The version after all migrations.
const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

/// The time to wait for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The capacity of the cache of prepared statements; the crate has about forty.
const STATEMENT_CACHE: usize = 64;

/// The reason a database could not be opened.
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
        // A commit survives a crash of the process. Only a power failure can lose the last ones,
        // which is acceptable for a local server. Set after the file was recognised, since the
        // journal mode is written into it.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "normal")?;
    }
    Ok(connection)
}

/// Checks and migrates the file, in one transaction, so that two servers that open a new file at
/// once do not both create the tables.
fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let application: i32 = pragma(&tx, "application_id")?;
    let version: i32 = pragma(&tx, "user_version")?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let applied = match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => return Ok(()),
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => {
            return Err(OpenError::Newer { found });
        }
        (APPLICATION_ID, older) => usize::try_from(older).map_err(|_| OpenError::Foreign)?,
        (0, 0) if tables == 0 => 0,
        _ => return Err(OpenError::Foreign),
    };
    for step in MIGRATIONS.iter().skip(applied) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
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
    fn file_is_in_wal_mode_and_reopens() {
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
    fn foreign_database_is_rejected_and_unchanged() {
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
    fn file_of_the_first_version_is_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let insert = "INSERT INTO events (received_at, status, http_status, response, reasons, event, event_bytes)
                      VALUES (7, ?1, 200, '{}', '[]', ?2, 2)";
        for (status, event) in [
            (
                "accepted",
                Some(r#"{"occurred_at":"2026-02-02T16:35:39.317Z"}"#),
            ),
            (
                "accepted",
                Some(r#"{"occurred_at":"2016-12-31T23:59:60Z"}"#),
            ),
            ("accepted", None),
            ("rejected", Some("{}")),
        ] {
            old.execute(insert, (status, event)).unwrap();
        }
        drop(old);
        let connection = open(&Data::File(path)).unwrap();
        let times: Vec<Option<i64>> = connection
            .prepare("SELECT occurred_at FROM events ORDER BY seq")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(times, [Some(1_770_050_139_317), Some(7), Some(7), None]);
    }

    #[test]
    fn newer_version_is_rejected() {
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
