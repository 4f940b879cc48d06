//! A service with its own database, on the oldest rusqlite that `audit-core` supports. Both share
//! one SQLite, since two cannot be linked into one program. `cargo xtask test` checks it; the
//! workspace itself uses the newest.

use std::path::Path;

use audit_core::{MemorySink, Recorder, Spool};
use rusqlite::Connection;

/// Opens the service's database and a recorder with a spool.
///
/// # Errors
///
/// If a file cannot be opened, or the recorder cannot be built.
pub fn start(folder: &Path) -> Result<(Connection, Recorder), Box<dyn std::error::Error>> {
    let own = Connection::open(folder.join("service.db"))?;
    let spool = Spool::open(folder.join("audit.spool"))?;
    let recorder = Recorder::builder(MemorySink::new()).spool(spool).build()?;
    Ok((own, recorder))
}
