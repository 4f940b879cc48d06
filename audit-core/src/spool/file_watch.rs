//! Looks at the files while they are in use: their places, and the size of the WAL.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::error::with_causes;
use super::pending::read_page;
use super::placement::Placement;
use super::rows::Guarantee;
use super::store::Store;
use super::writer::Writer;
use crate::event::{Event, EventId};

/// The time between two looks at the files, unless an acknowledgement needs one.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The largest number of events that are returned from a file that could not be moved.
const MAX_ABANDONED: usize = 8_192;

impl Writer {
    /// Returns the time of the next look at the files; `None` if nothing is in them.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let values = self.status.values();
        let is_needed = !values.totals.is_empty() || values.has_large_wal();
        (is_needed && self.store.is_some()).then(|| {
            self.placed_at
                .map_or_else(Instant::now, |at| at + LOOK_INTERVAL)
        })
    }

    /// Returns `true` if a later process finds the files, after moving the rows to a new file if
    /// it would not.
    ///
    /// The files were looked at within the last second, or just now if `is_acknowledged`.
    pub(super) fn keep_in_place(&mut self, is_acknowledged: bool) -> bool {
        let recently = |at: Instant| at.elapsed() < LOOK_INTERVAL;
        if !is_acknowledged && self.placed_at.is_some_and(recently) {
            return true;
        }
        match self.opener.placement() {
            Placement::InPlace { wal_bytes } => {
                self.placed_at = Some(Instant::now());
                self.note_wal(wal_bytes);
                true
            }
            Placement::Displaced(reason) => {
                if let Some(store) = self.store.take() {
                    self.relocate(store, reason);
                }
                self.store.is_some()
            }
        }
    }

    /// Moves the rows of a displaced store to a new file. Retried after an error.
    pub(super) fn relocate(&mut self, store: Store, reason: &'static str) {
        self.opener.release_reserve();
        let mut store = Some(store);
        match self.opener.relocate(&mut store) {
            Ok(store) => {
                tracing::error!(
                    spool = %self.opener.file().display(),
                    reason,
                    "the files of the spool were changed while it was in use; moved its events to a new file"
                );
                let mut values = self.status.values();
                values.relocated += 1;
                values.last_relocation = Some((Instant::now(), reason));
                values.quarantined.clone_from(&self.opener.quarantined);
                drop(values);
                self.full = !self.opener.reserve();
                self.on_opened(store);
            }
            Err(error) => {
                self.displaced = store.map(|store| (store, reason));
                let error = with_causes(&error);
                self.pause(&format!(
                    "{reason} while it was in use, and its events cannot be moved to a new file: {error}"
                ));
            }
        }
    }

    fn note_wal(&mut self, bytes: u64) {
        let mut values = self.status.values();
        values.wal_bytes = bytes;
        if values.has_large_wal()
            && let Some(suppressed) = self.wal_log.admit()
        {
            tracing::warn!(
                spool = %self.opener.file().display(),
                bytes,
                suppressed,
                "the `-wal` file of the spool grows while another program reads the spool"
            );
        }
    }

    /// Shortens a WAL that a reader kept from being truncated, once that reader is gone.
    pub(super) fn shorten_wal(&mut self) {
        if !self.status.values().has_large_wal() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        if let Err(error) = store.shorten_wal() {
            self.on_error(error);
        }
    }

    /// Returns the pending events of a displaced store that could not be moved to a new file.
    ///
    /// Those of `finished` are delivered or rejected already.
    pub(super) fn abandon(&mut self, finished: &HashSet<EventId>) -> Vec<Event> {
        let Some((store, reason)) = self.displaced.take() else {
            return Vec::new();
        };
        // The callers of retracted rows received an error.
        let refused: HashSet<_> = self.retracted.iter().map(|(row, _)| *row).collect();
        let mut events = Vec::new();
        for guarantee in [Guarantee::Durable, Guarantee::BestEffort] {
            let mut after = 0;
            while events.len() < MAX_ABANDONED {
                let limit = MAX_ABANDONED - events.len();
                let Ok((page, _)) = read_page(store.connection(), guarantee, after, limit) else {
                    break;
                };
                after = page.after;
                let left = page.events.into_iter().filter(|spooled| {
                    let is_finished = finished.contains(&spooled.event.id());
                    !is_finished && !refused.contains(&spooled.row)
                });
                events.extend(left.map(|spooled| spooled.event));
                if page.is_last {
                    break;
                }
            }
        }
        let totals = store.totals().unwrap_or_default();
        tracing::error!(
            spool = %self.opener.file().display(),
            reason,
            pending = totals.pending,
            dead_letters = totals.dead,
            returned = events.len(),
            "the files of the spool were changed while it was in use, and its events could not be moved to a new file; they are lost"
        );
        events
    }
}
