//! What a command asks of the service that has the file open: to send dead letters again. The
//! service alone may make rows pending while it runs, since it counts what it has.

use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension as _, params};

use super::status::Published;
use super::store::Store;

/// Made by the first who asks: no file needs it otherwise.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS requests (letter INTEGER PRIMARY KEY)";
/// How many are done in one transaction, so that nobody else waits for long.
const BATCH: usize = 256;
/// How often it is looked whether there are some, while there are dead letters.
const PAUSE: Duration = Duration::from_secs(1);

/// The service's side.
#[derive(Debug, Default)]
pub(super) struct Requests {
    looked_at: Option<Instant>,
}

impl Requests {
    /// When to look for some. Where nobody counts letters, or there are none, nobody asks.
    pub(super) fn next_look(&self, published: &Published) -> Option<Instant> {
        let looks = published.listener().is_some() && published.state().totals.dead > 0;
        looks.then(|| self.looked_at.map_or_else(Instant::now, |at| at + PAUSE))
    }

    /// Sends the letters again that somebody asked for.
    pub(super) fn answer(
        &mut self,
        store: &mut Store,
        published: &Published,
    ) -> rusqlite::Result<()> {
        self.looked_at = Some(Instant::now());
        let rows = store.requests()?;
        if rows.is_empty() {
            return Ok(());
        }
        // The letters first: were there an end between the two, rows that are no letters any more
        // are asked for. They are counted before anything else can fail.
        let again = store.redrive(&rows)?;
        if let Some(listener) = published.listener() {
            listener(again);
        }
        store.answer_requests(&rows)?;
        // More may have been asked for than are done at once.
        self.looked_at = None;
        Ok(())
    }
}

impl Store {
    /// Asks for letters to be sent again; the number of those that are there.
    pub(super) fn request(&mut self, rows: &[i64]) -> rusqlite::Result<u64> {
        self.transact(|tx, _| {
            tx.execute(TABLE, [])?;
            let mut there = 0;
            for row in rows {
                let is_there = tx
                    .prepare_cached("SELECT 1 FROM dead WHERE row = ?1")?
                    .exists([row])?;
                if is_there {
                    tx.prepare_cached("INSERT OR IGNORE INTO requests (letter) VALUES (?1)")?
                        .execute([row])?;
                    there += 1;
                }
            }
            Ok(there)
        })
    }

    /// Letters that somebody asked for, at most 256.
    pub(super) fn requests(&self) -> rusqlite::Result<Vec<i64>> {
        let exists = self
            .connection()
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'requests'")?
            .query_row([], |_| Ok(()))
            .optional()?;
        if exists.is_none() {
            return Ok(Vec::new());
        }
        self.connection()
            .prepare_cached("SELECT letter FROM requests LIMIT ?1")?
            .query_map([BATCH as i64], |row| row.get(0))?
            .collect()
    }

    /// Forgets that these were asked for.
    pub(super) fn answer_requests(&mut self, rows: &[i64]) -> rusqlite::Result<()> {
        self.transact(|tx, _| {
            for row in rows {
                tx.prepare_cached("DELETE FROM requests WHERE letter = ?1")?
                    .execute(params![row])?;
            }
            Ok(())
        })
    }
}
