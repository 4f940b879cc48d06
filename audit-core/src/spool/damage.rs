//! Damage that SQLite reads over without an error: where the number of a row is another than was
//! written, the row is out of order or is not found, and those behind it may not be found either.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusqlite::params;

use super::dead::{Burial, Buried};
use super::store::{PendingRow, Store, delete};
use crate::event::{EventId, ID_AT};
use crate::spool::dead;

/// So many events that are not in their rows are kept until the file is looked at.
const MOST_MISSING: usize = 1_024;
/// How often a file is looked at at most: that reads all of it.
const LOOK_PAUSE: Duration = Duration::from_secs(60);

/// An event that came to its end and was not in its row, where it would be given out again at the
/// next start.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    id: EventId,
    /// Why it was refused for good, if it was not delivered.
    fault: Option<String>,
}

impl Missing {
    pub(super) fn delivered(id: EventId) -> Self {
        Self { id, fault: None }
    }

    /// What was to become this dead letter. None if it was never in a row.
    pub(super) fn refused(burial: &Burial) -> Option<Self> {
        match &burial.event {
            Buried::Pending(pending) => Some(Self {
                id: pending.id,
                fault: Some(burial.fault.clone()),
            }),
            Buried::Packed(_) => None,
        }
    }
}

/// What is missing since the file was looked at.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    missing: Vec<Missing>,
    looked_at: Option<Instant>,
    /// Damage was the reason, and they are still to be ended.
    is_right: bool,
}

impl Suspicion {
    /// More is missing. What has no room comes back at the next start, and ends then.
    pub(super) fn add(&mut self, missing: Vec<Missing>) {
        let room = MOST_MISSING.saturating_sub(self.missing.len());
        self.missing.extend(missing.into_iter().take(room));
    }

    /// Looks whether damage is the reason, once a minute at most. If it is, that is an error, and
    /// the next call, when the file was made anew, ends what is missing wherever it stands.
    pub(super) fn pursue(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        let lately = |at: Instant| at.elapsed() < LOOK_PAUSE;
        if self.is_right {
            store.end_wherever(&self.missing)?;
        } else if self.missing.is_empty() || self.looked_at.is_some_and(lately) {
            return Ok(());
        } else {
            self.looked_at = Some(Instant::now());
            self.is_right = true;
            store.look_for_damage()?;
            // A transaction that said that it failed had ended them.
        }
        self.is_right = false;
        self.missing.clear();
        Ok(())
    }
}

impl Store {
    /// Reads the whole file, a second for some hundred megabytes; an error if it is damaged. Rows
    /// can be hidden by damage that no reading of one comes across.
    pub(super) fn look_for_damage(&self) -> rusqlite::Result<()> {
        let found: String = self
            .connection()
            .pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if found == "ok" {
            return Ok(());
        }
        Err(corrupt(found))
    }

    /// Ends events in whatever rows they are; reads the whole file once.
    fn end_wherever(&mut self, events: &[Missing]) -> rusqlite::Result<()> {
        let faults: HashMap<EventId, Option<&String>> = events
            .iter()
            .map(|missing| (missing.id, missing.fault.as_ref()))
            .collect();
        self.transact(|tx, change| {
            let mut found = Vec::new();
            {
                let mut statement = tx
                    .prepare_cached("SELECT row, substr(event, ?1, 16) FROM pending NOT INDEXED")?;
                let mut rows = statement.query(params![ID_AT as i64])?;
                while let Some(row) = rows.next()? {
                    let id = row.get_ref(1)?.as_blob().ok();
                    let id = id.and_then(|id| <[u8; 16]>::try_from(id).ok());
                    if let Some(id) = id.map(EventId::from_bytes)
                        && let Some(fault) = faults.get(&id)
                    {
                        let pending = PendingRow {
                            row: row.get(0)?,
                            id,
                        };
                        found.push((pending, *fault));
                    }
                }
            }
            for (pending, fault) in found {
                let _is_there = match fault {
                    None => delete(tx, change, &pending)?,
                    Some(fault) => {
                        let burial = Burial::new(Buried::Pending(pending), fault.clone());
                        dead::bury(tx, change, &burial)?
                    }
                };
            }
            Ok(())
        })
    }
}

/// The number of the row that was read after that one, which is greater. Damage to it can lead
/// nowhere, or to rows that were read before, and SQLite sees it only when it looks for a row and
/// finds none.
pub(super) fn in_order(after: i64, row: i64) -> rusqlite::Result<i64> {
    if row > after {
        return Ok(row);
    }
    Err(corrupt(format!("row {row} stands behind row {after}")))
}

fn corrupt(what: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what))
}
