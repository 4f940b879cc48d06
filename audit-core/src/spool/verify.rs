//! Verification of a whole spool file.

use std::path::Path;

use tokio::sync::oneshot;

use super::error::SpoolError;
use super::rows::read_event;
use super::store::Store;

/// The largest number of findings that are reported.
const FINDINGS: usize = 20;

/// The result of [`Spool::verify`](super::Spool::verify).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolCheck {
    /// Pending events and dead letters that were read.
    pub events: u64,
    /// Rows in which no event can be read.
    pub corrupt_rows: u64,
    /// SQLite's findings about the file, at most 20; empty if it is intact.
    pub findings: Vec<String>,
}

impl SpoolCheck {
    /// Returns `true` if nothing is corrupt.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.corrupt_rows == 0 && self.findings.is_empty()
    }
}

/// Checks the file on a thread of its own.
pub(super) async fn verify(path: &Path) -> Result<SpoolCheck, SpoolError> {
    let (sender, receiver) = oneshot::channel();
    let file = path.to_owned();
    std::thread::Builder::new()
        .name("audit-spool-verify".to_owned())
        .spawn(move || {
            let result = check(&file).map_err(|error| SpoolError::open(&file, error));
            // The caller may have dropped its future.
            drop(sender.send(result));
        })
        .map_err(|error| SpoolError::file("start a thread that verifies", path, error))?;
    receiver.await.unwrap_or_else(|_| Err(SpoolError::closed()))
}

/// Checks the structure of the file, and reads every event.
///
/// Each table is read in a transaction of its own: a long one keeps the WAL of a spool in use from
/// being truncated.
pub(super) fn check(path: &Path) -> rusqlite::Result<SpoolCheck> {
    let connection = Store::read_only(path)?;
    let mut check = SpoolCheck::default();
    let quick_check = || {
        connection
            .prepare(&format!("PRAGMA quick_check({FINDINGS})"))?
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let findings = quick_check().unwrap_or_else(|error| vec![error.to_string()]);
    check
        .findings
        .extend(findings.into_iter().filter(|finding| finding != "ok"));
    for table in ["pending", "dead_letters"] {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement =
                connection.prepare(&format!("SELECT event FROM {table} NOT INDEXED"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match read_event(row, 0) {
                    Some(_) => check.events += 1,
                    None => check.corrupt_rows += 1,
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            check.findings.push(format!("{table}: {error}"));
        }
    }
    check.findings.truncate(FINDINGS);
    Ok(check)
}
