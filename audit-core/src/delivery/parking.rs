//! Parking: events of the spool that wait for their next attempt on disk, so that events that fail
//! leave the room in memory to others.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::attribution::FailureHistory;
use super::flush_barrier::Origin;
use super::pending_event::{Ambiguity, PendingEvent};
use crate::event::EventId;
use crate::sink::Fault;

/// The most events that are parked at once; the entry of each takes some 200 bytes.
const MAX_PARKED: usize = 65_536;

/// The properties of an event whose content is on disk alone.
#[derive(Debug)]
pub(super) struct ParkedEvent {
    pub(super) row: i64,
    pub(super) id: EventId,
    pub(super) origin: Origin,
    pub(super) fetched_at: Instant,
    failures: FailureHistory,
    immediate_retry_used: bool,
    last_fault: Option<Fault>,
    ambiguity: Option<Ambiguity>,
}

impl ParkedEvent {
    /// Returns the properties of an event; `None` if it is not on disk.
    pub(super) fn of(open: &mut PendingEvent) -> Option<Self> {
        Some(Self {
            row: open.row?,
            id: open.event.id(),
            origin: open.origin,
            fetched_at: open.fetched_at,
            failures: std::mem::take(&mut open.failures),
            immediate_retry_used: open.immediate_retry_used,
            last_fault: open.last_fault.take(),
            ambiguity: open.ambiguity,
        })
    }

    /// Restores the properties of an event that was read again.
    pub(super) fn restore(self, open: &mut PendingEvent) {
        open.fetched_at = self.fetched_at;
        open.failures = self.failures;
        open.immediate_retry_used = self.immediate_retry_used;
        open.last_fault = self.last_fault;
        open.ambiguity = self.ambiguity.or(open.ambiguity);
        open.was_parked = true;
    }
}

/// The parked events, by the time of their next attempt and their row.
#[derive(Debug, Default)]
pub(super) struct Parking {
    events: BTreeMap<(Instant, i64), ParkedEvent>,
    /// The events that are being read.
    leaving: Vec<ParkedEvent>,
}

impl Parking {
    /// Returns whether one more event may be parked.
    pub(super) fn has_room(&self) -> bool {
        self.events.len() < MAX_PARKED
    }

    pub(super) fn add(&mut self, due: Instant, event: ParkedEvent) {
        self.events.insert((due, event.row), event);
    }

    /// Returns the time of the next attempt.
    pub(super) fn due(&self) -> Option<Instant> {
        self.events.first_key_value().map(|((due, _), _)| *due)
    }

    /// Selects at most `most` events that are due, and returns their rows, to be read.
    pub(super) fn leave(&mut self, now: Instant, most: usize) -> Vec<i64> {
        while self.leaving.len() < most {
            let Some(entry) = self.events.first_entry() else {
                break;
            };
            if entry.key().0 > now {
                break;
            }
            self.leaving.push(entry.remove());
        }
        self.leaving.iter().map(|event| event.row).collect()
    }

    /// Returns the selected events, once their rows were read.
    pub(super) fn left(&mut self) -> Vec<ParkedEvent> {
        std::mem::take(&mut self.leaving)
    }

    /// Parks the selected events again, since their rows were not read.
    pub(super) fn stay(&mut self, due: Instant) {
        for event in self.left() {
            self.add(due, event);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ParkedEvent> {
        self.events.values().chain(&self.leaving)
    }
}
