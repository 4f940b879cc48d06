//! Corruption that SQLite reads over without an error.
//!
//! If a row id is corrupt, the row is out of order or cannot be found, and neither may be the rows
//! after it. An event that reached its final state and is missing from its row is the symptom.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::params;

use super::dead_letters;
use super::pending::delete;
use super::rows::{DeadLetterEntry, DeadLetterSource, MissingEvent, PendingRow, corrupt};
use super::store::Store;
use crate::event::{EventId, ID_AT};

/// The largest number of missing events that are kept until the next check.
const MAX_MISSING: usize = 1_024;
/// The shortest time between two checks, each of which reads the whole file.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The pause after a check that failed: doubled with each failure in a row, up to
/// [`CHECK_INTERVAL`].
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Checks the file for corruption once events are missing from their rows.
#[derive(Debug, Default)]
pub(super) struct CorruptionCheck {
    /// Events that went missing since the last check.
    missing: Vec<MissingEvent>,
    last_run: Option<Instant>,
    /// The file was corrupt, and the missing events are still to be removed from the rebuilt one.
    confirmed: bool,
}

impl CorruptionCheck {
    /// Adds missing events. Those beyond the limit are delivered again at the next start.
    pub(super) fn add(&mut self, missing: Vec<MissingEvent>) {
        let room = MAX_MISSING.saturating_sub(self.missing.len());
        self.missing.extend(missing.into_iter().take(room));
    }

    /// Checks the file, at most once a minute. Corruption is an error.
    ///
    /// After such an error and a rebuild, the next call removes the missing events from whatever
    /// rows they are in.
    pub(super) fn run(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        let recently = |at: Instant| at.elapsed() < CHECK_INTERVAL;
        if self.confirmed {
            store.finish_in_any_row(&self.missing)?;
        } else if self.missing.is_empty() || self.last_run.is_some_and(recently) {
            return Ok(());
        } else {
            self.last_run = Some(Instant::now());
            self.confirmed = true;
            store.check_integrity()?;
            // The file is intact: the events were removed by a transaction that was committed and
            // returned an error.
        }
        self.confirmed = false;
        self.missing.clear();
        Ok(())
    }
}

/// Delays the next check of the whole file after one that failed.
///
/// A disk that fails is not read from front to back each second, on the thread that writes.
#[derive(Debug, Default)]
pub(super) struct CheckBackoff {
    /// Consecutive failures, and the moment of the last.
    failed: Mutex<Option<(u32, Instant)>>,
}

impl CheckBackoff {
    /// Returns `true` if a check may run.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_none_or(|(failures, at)| {
            let pause = FIRST_PAUSE * 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
            now.saturating_duration_since(at) >= pause.min(CHECK_INTERVAL)
        })
    }

    /// Notes the result of a check.
    pub(super) fn note(&self, is_ok: bool, now: Instant) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = failed.map_or(0, |(failures, _)| failures);
        *failed = (!is_ok).then_some((failures.saturating_add(1), now));
    }
}

impl Store {
    /// Reads the whole file, a second for some hundred megabytes, and returns an error if it is
    /// corrupt.
    ///
    /// Corruption can hide rows in a way that no query of a single row detects.
    pub(super) fn check_integrity(&self) -> rusqlite::Result<()> {
        let found: String = self
            .connection()
            .pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if found == "ok" {
            return Ok(());
        }
        Err(corrupt(found))
    }

    /// Moves events to their final state in whatever rows they are; reads the whole file once.
    fn finish_in_any_row(&mut self, events: &[MissingEvent]) -> rusqlite::Result<()> {
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
                let _is_found = match fault {
                    None => delete(tx, change, &pending)?,
                    Some(fault) => {
                        let source = DeadLetterSource::Pending(pending);
                        let entry = DeadLetterEntry::new(source, fault.clone());
                        dead_letters::add(tx, change, &entry)?
                    }
                };
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_59_failing_check_of_the_whole_file_backs_off() {
        let (backoff, begun) = (CheckBackoff::default(), Instant::now());
        // The reader of the spool asks each second.
        let moments = (0..3_600).map(|second| begun + Duration::from_secs(second));
        let mut checks = 0;
        for now in moments {
            if backoff.is_due(now) {
                checks += 1;
                backoff.note(false, now);
            }
        }
        assert_eq!(checks, 64, "checks in an hour");
        let later = begun + Duration::from_secs(4_000);
        assert!(backoff.is_due(later));
        backoff.note(true, later);
        assert!(backoff.is_due(later));
    }
}
