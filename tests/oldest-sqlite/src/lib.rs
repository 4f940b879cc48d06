//! A service with a database of its own, through the oldest rusqlite that `audit-core` takes: both
//! have the same SQLite, since two cannot be linked into one program. `cargo xtask test` checks it;
//! the workspace itself has the newest.

use std::path::Path;

use audit_core::{MemorySink, Recorder, Spool};
use rusqlite::Connection;

/// What such a service opens.
///
/// # Errors
///
/// One of the files cannot be opened.
pub fn start(folder: &Path) -> Result<(Connection, Recorder), Box<dyn std::error::Error>> {
    let own = Connection::open(folder.join("service.db"))?;
    let spool = Spool::open(folder.join("audit.spool"))?;
    let recorder = Recorder::builder(MemorySink::new()).spool(spool).build()?;
    Ok((own, recorder))
}
