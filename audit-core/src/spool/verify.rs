//! Reading all of a spool to say what is wrong with it.

use std::path::Path;

use tokio::sync::oneshot;

use super::error::SpoolError;
use super::store::{Store, read_event};

/// How many findings of SQLite are told.
const FINDINGS: usize = 20;

/// What [`Spool::verify`](super::Spool::verify) found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolCheck {
    /// Pending events and dead letters that were read.
    pub events: u64,
    /// Rows in which no event could be read.
    pub damaged: u64,
    /// What SQLite says of the file, at most 20 sentences; none if it is whole.
    pub findings: Vec<String>,
}

impl SpoolCheck {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.findings.is_empty()
    }
}

pub(super) async fn verify(path: &Path) -> Result<SpoolCheck, SpoolError> {
    let (sender, receiver) = oneshot::channel();
    let file = path.to_owned();
    std::thread::Builder::new()
        .name("audit-spool-verify".to_owned())
        .spawn(move || {
            let checked = check(&file).map_err(|error| SpoolError::open(&file, error));
            // Whoever asked may have gone.
            drop(sender.send(checked));
        })
        .map_err(|error| SpoolError::file("start a thread to read", path, error))?;
    receiver.await.unwrap_or_else(|_| Err(SpoolError::closed()))
}

/// Each table in a transaction of its own, so that the log of a spool in use does not grow for
/// long.
pub(super) fn check(path: &Path) -> rusqlite::Result<SpoolCheck> {
    let connection = Store::read_only(path)?;
    let mut check = SpoolCheck::default();
    let mut found = |error: rusqlite::Error| check.findings.push(error.to_string());
    let sentences = || {
        connection
            .prepare(&format!("PRAGMA quick_check({FINDINGS})"))?
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let sentences = sentences().unwrap_or_else(|error| {
        found(error);
        Vec::new()
    });
    check
        .findings
        .extend(sentences.into_iter().filter(|sentence| sentence != "ok"));
    for table in ["pending", "dead"] {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement =
                connection.prepare(&format!("SELECT event FROM {table} NOT INDEXED"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match read_event(row, 0) {
                    Some(_) => check.events += 1,
                    None => check.damaged += 1,
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
