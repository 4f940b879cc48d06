//! Requests of a command to the service that has the file open: redrive dead letters.
//!
//! While a service runs, only it may make rows pending, since it counts its events in memory.

use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension as _, params};

use super::status::SharedStatus;
use super::store::Store;

/// Created by the first request; a file without requests does not need it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS redrive_requests (row INTEGER PRIMARY KEY)";
/// The largest number of requests served in one transaction, so that other work waits briefly.
const BATCH: usize = 256;
/// The time between two polls of the table, while there are dead letters.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Serves the requests, in the service.
#[derive(Debug, Default)]
pub(super) struct RedriveRequests {
    last_poll: Option<Instant>,
}

impl RedriveRequests {
    /// Returns the time of the next poll; `None` without a recorder or without dead letters.
    pub(super) fn next_poll(&self, status: &SharedStatus) -> Option<Instant> {
        let is_needed = status.on_redriven().is_some() && status.values().totals.dead > 0;
        is_needed.then(|| {
            self.last_poll
                .map_or_else(Instant::now, |at| at + POLL_INTERVAL)
        })
    }

    /// Makes the requested dead letters pending.
    pub(super) fn serve(
        &mut self,
        store: &mut Store,
        status: &SharedStatus,
    ) -> rusqlite::Result<()> {
        self.last_poll = Some(Instant::now());
        let rows = store.redrive_requests()?;
        if rows.is_empty() {
            return Ok(());
        }
        // The dead letters move first: after a crash between the two transactions, requests for
        // rows that are gone remain, which do nothing. The count is reported before anything else
        // can fail.
        let redriven = store.redrive(&rows)?;
        if let Some(on_redriven) = status.on_redriven() {
            on_redriven(redriven);
        }
        store.remove_redrive_requests(&rows)?;
        // There may be more than one batch.
        self.last_poll = None;
        Ok(())
    }
}

impl Store {
    /// Requests that dead letters are redriven. Returns the number of those that were found.
    pub(super) fn request_redrive(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, _| {
            tx.execute(TABLE, [])?;
            let mut found = 0;
            for row in rows {
                let exists = tx
                    .prepare_cached("SELECT 1 FROM dead_letters WHERE row = ?1")?
                    .exists([row])?;
                if exists {
                    tx.prepare_cached("INSERT OR IGNORE INTO redrive_requests (row) VALUES (?1)")?
                        .execute([row])?;
                    found += 1;
                }
            }
            Ok(found)
        })
    }

    /// Reads the requested rows, at most 256.
    fn redrive_requests(&self) -> rusqlite::Result<Vec<i64>> {
        let exists = self
            .connection()
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'redrive_requests'")?
            .query_row([], |_| Ok(()))
            .optional()?;
        if exists.is_none() {
            return Ok(Vec::new());
        }
        self.connection()
            .prepare_cached("SELECT row FROM redrive_requests LIMIT ?1")?
            .query_map([BATCH as i64], |row| row.get(0))?
            .collect()
    }

    fn remove_redrive_requests(&mut self, rows: &[i64]) -> rusqlite::Result<()> {
        self.transact(|tx, _| {
            for row in rows {
                tx.prepare_cached("DELETE FROM redrive_requests WHERE row = ?1")?
                    .execute(params![row])?;
            }
            Ok(())
        })
    }
}
