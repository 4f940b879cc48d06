//! The bounded queue between the callers of the spool and its committer thread.
//!
//! No lock is held during I/O.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{ErrorKind, SpoolError};
use super::queued_append::QueuedAppend;
use super::rows::{AttemptMark, DeadLetterEntry, MissingEvent, PendingRow};
use super::store::{Group, Store};
use crate::event::{Event, EventId};

/// The largest number of events that may be queued for the disk.
const QUEUED_EVENTS: usize = 8_192;
/// Their largest size in bytes, queued dead letters included.
const QUEUED_BYTES: u64 = 16 * 1024 * 1024;
/// The largest number of queued calls.
const QUEUED_CALLS: usize = 64;
/// The size of one transaction, in events and approximately in bytes.
const GROUP_EVENTS: usize = 1_024;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// The largest number of rows that one transaction acknowledges.
///
/// On a full disk the pages that it changes have to fit into a mebibyte, the reserve.
const GROUP_ROWS: usize = 128;
/// The time for which work without a waiter is collected.
const LINGER: Duration = Duration::from_millis(50);

/// A call on the store that reports its result to the caller.
pub(super) trait StoreCall: Send {
    /// Runs the call and reports its value. After an error it has reported nothing and can be
    /// run again.
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()>;
    /// Reports an error.
    fn fail(&mut self, error: SpoolError);
}

/// The work for one pass of the committer thread.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) appends: Vec<QueuedAppend>,
    /// The rest of the group; its `appends` are empty.
    pub(super) rest: Group,
    pub(super) calls: Vec<Box<dyn StoreCall>>,
    /// The inbox accepts no more work.
    pub(super) is_closing: bool,
    /// No work is left, and none is accepted.
    pub(super) is_last: bool,
}

#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    changed: Condvar,
    max_bytes: u64,
}

#[derive(Default)]
struct InboxState {
    appends: VecDeque<QueuedAppend>,
    append_bytes: u64,
    attempts: VecDeque<(PendingRow, AttemptMark)>,
    dead_letters: VecDeque<DeadLetterEntry>,
    dead_letter_bytes: u64,
    acknowledged: VecDeque<PendingRow>,
    calls: VecDeque<Box<dyn StoreCall>>,
    /// The bytes of the pending events, including those of the batch in progress.
    pending_bytes: u64,
    /// The events of the batch in progress.
    in_progress: u64,
    /// A caller waits.
    urgent: bool,
    /// The thread sleeps without a deadline.
    asleep: bool,
    closing: bool,
    closed: bool,
}

impl std::fmt::Debug for InboxState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboxState")
            .field("appends", &self.appends.len())
            .field("calls", &self.calls.len())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}

impl Inbox {
    pub(super) fn new(max_bytes: u64, pending_bytes: u64) -> Self {
        Self {
            state: Mutex::new(InboxState {
                pending_bytes,
                ..InboxState::default()
            }),
            changed: Condvar::new(),
            max_bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an event, unless the spool is closed or full.
    pub(super) fn append(&self, append: QueuedAppend) -> Result<(), SpoolError> {
        let bytes = append.bytes();
        let mut state = self.state();
        state.check_open()?;
        let held = state.pending_bytes.saturating_add(state.append_bytes);
        if held.saturating_add(bytes) > self.max_bytes {
            return Err(ErrorKind::Full {
                held,
                max_bytes: self.max_bytes,
            }
            .into());
        }
        state.check_room(bytes)?;
        state.append_bytes += bytes;
        state.urgent |= append.waiter.is_some();
        state.appends.push_back(append);
        self.wake(state);
        Ok(())
    }

    pub(super) fn add_dead_letter(&self, entry: DeadLetterEntry) -> Result<(), SpoolError> {
        let mut state = self.state();
        state.check_open()?;
        let bytes = entry.bytes() as u64;
        state.check_room(bytes)?;
        state.dead_letter_bytes += bytes;
        state.dead_letters.push_back(entry);
        self.wake(state);
        Ok(())
    }

    /// Queues the deletion of a delivered event.
    ///
    /// Needs no bound of its own: there are never more deletions than rows on disk.
    pub(super) fn acknowledge(&self, pending: PendingRow) {
        let mut state = self.state();
        if !state.closed {
            state.acknowledged.push_back(pending);
            self.wake(state);
        }
    }

    pub(super) fn mark_attempt(&self, pending: PendingRow, mark: AttemptMark) {
        let mut state = self.state();
        if !state.closed {
            state.attempts.push_back((pending, mark));
            self.wake(state);
        }
    }

    /// Queues a call on the store.
    pub(super) fn call(&self, call: Box<dyn StoreCall>) -> Result<(), SpoolError> {
        let mut state = self.state();
        state.check_open()?;
        if state.calls.len() >= QUEUED_CALLS {
            return Err(ErrorKind::Busy.into());
        }
        state.calls.push_back(call);
        state.urgent = true;
        self.wake(state);
        Ok(())
    }

    /// Returns `true` if no new work is accepted.
    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Refuses new work; queued work is still done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.urgent = true;
        self.wake(state);
    }

    /// Wakes the thread if a caller waits, if it sleeps without a deadline, or if the queue is
    /// half full. Waking a thread costs far more than anything else here.
    fn wake(&self, mut state: MutexGuard<'_, InboxState>) {
        let wake = state.urgent || state.asleep || state.appends.len() == QUEUED_EVENTS / 2;
        if wake {
            state.asleep = false;
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Waits for work: returns at once if a caller waits, and otherwise after [`LINGER`].
    ///
    /// Returns within `at_most` with the work that is there. While the disk `is_failing`, a half
    /// full queue does not end the wait.
    pub(super) fn next_batch(&self, at_most: Option<Duration>, is_failing: bool) -> Batch {
        let begun = Instant::now();
        let mut lingering: Option<Instant> = None;
        let mut state = self.state();
        // The batch before is done.
        state.in_progress = 0;
        loop {
            let now = Instant::now();
            if !state.is_empty() && lingering.is_none() {
                lingering = Some(now);
            }
            let lingered = lingering.map(|since| LINGER.saturating_sub(now - since));
            let left = at_most.map(|most| most.saturating_sub(now - begun));
            let wait = match (lingered, left) {
                (Some(lingered), Some(left)) => Some(lingered.min(left)),
                (lingered, left) => lingered.or(left),
            };
            let is_half_full = !is_failing && state.appends.len() >= QUEUED_EVENTS / 2;
            let ready = state.urgent || is_half_full;
            if ready || wait == Some(Duration::ZERO) {
                return state.take_batch();
            }
            state = match wait {
                Some(wait) => {
                    // New work has to start its own linger time, instead of waiting until the
                    // deadline of this wait.
                    state.asleep = !is_failing && lingering.is_none();
                    let waited = self.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    state.asleep = true;
                    self.changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            };
            state.asleep = false;
        }
    }

    /// Puts unfinished work back to the front of the queue, and removes and returns the appends
    /// whose callers have to receive the error.
    pub(super) fn requeue(&self, appends: Vec<QueuedAppend>, rest: Group) -> Vec<QueuedAppend> {
        let mut state = self.state();
        state.in_progress = 0;
        let mut to_fail = Vec::new();
        for append in std::mem::take(&mut state.appends) {
            if append.returns_errors() {
                to_fail.push(append);
            } else {
                state.appends.push_back(append);
            }
        }
        for append in &to_fail {
            state.append_bytes -= append.bytes();
        }
        for append in appends.into_iter().rev() {
            let bytes = append.bytes();
            state.append_bytes += bytes;
            state.pending_bytes = state.pending_bytes.saturating_sub(bytes);
            state.appends.push_front(append);
        }
        for entry in rest.dead_letters.into_iter().rev() {
            state.dead_letter_bytes += entry.bytes() as u64;
            state.dead_letters.push_front(entry);
        }
        for attempt in rest.attempts.into_iter().rev() {
            state.attempts.push_front(attempt);
        }
        for pending in rest.acknowledged.into_iter().rev() {
            state.acknowledged.push_front(pending);
        }
        state.urgent = !state.calls.is_empty();
        to_fail
    }

    /// Sets the bytes of the pending events, between two batches.
    pub(super) fn set_pending_bytes(&self, bytes: u64) {
        self.state().pending_bytes = bytes;
    }

    /// Returns the number of events queued for the disk.
    pub(super) fn queued_events(&self) -> u64 {
        self.state().appends.len() as u64
    }

    /// Returns the number of events that are queued for the disk or in the batch in progress.
    pub(super) fn unwritten_events(&self) -> u64 {
        let state = self.state();
        state.appends.len() as u64 + state.in_progress
    }

    /// Returns the events whose rows are still to be deleted.
    pub(super) fn finished(&self) -> HashSet<EventId> {
        let state = self.state();
        let rejected = state.dead_letters.iter().filter_map(MissingEvent::rejected);
        let acknowledged = state.acknowledged.iter().map(|pending| pending.id);
        acknowledged.chain(rejected.map(|event| event.id)).collect()
    }

    /// Ends all waits, and returns the events that only the inbox still has.
    ///
    /// Called when the thread ends. A waiter receives the end of its channel.
    pub(super) fn close_and_drain(&self) -> Vec<Event> {
        let ended = InboxState {
            closing: true,
            closed: true,
            ..InboxState::default()
        };
        let left = std::mem::replace(&mut *self.state(), ended);
        let appends = left.appends.into_iter();
        appends
            .filter(|append| !append.caller_has_event())
            .filter_map(|append| Event::from_packed(&append.event.packed).ok())
            .collect()
    }
}

impl InboxState {
    fn check_open(&self) -> Result<(), SpoolError> {
        if self.closing {
            return Err(SpoolError::closed());
        }
        Ok(())
    }

    fn check_room(&self, bytes: u64) -> Result<(), SpoolError> {
        let queued = self.append_bytes + self.dead_letter_bytes;
        let events = self.appends.len() + self.dead_letters.len();
        if events >= QUEUED_EVENTS || queued.saturating_add(bytes) > QUEUED_BYTES {
            return Err(ErrorKind::Behind { bytes: queued }.into());
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.appends.is_empty()
            && self.calls.is_empty()
            && self.attempts.is_empty()
            && self.dead_letters.is_empty()
            && self.acknowledged.is_empty()
    }

    /// Takes a batch of bounded size.
    fn take_batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        let mut bytes = 0;
        while batch.appends.len() < GROUP_EVENTS && bytes < GROUP_BYTES {
            let Some(append) = self.appends.pop_front() else {
                break;
            };
            let size = append.bytes();
            self.append_bytes -= size;
            self.pending_bytes += size;
            bytes += append.event.packed.len();
            batch.appends.push(append);
        }
        self.in_progress = batch.appends.len() as u64;
        let rest = &mut batch.rest;
        let few = |length: usize| length.min(GROUP_ROWS);
        rest.attempts = self.attempts.drain(..few(self.attempts.len())).collect();
        rest.acknowledged = self
            .acknowledged
            .drain(..few(self.acknowledged.len()))
            .collect();
        rest.dead_letters = self
            .dead_letters
            .drain(..few(self.dead_letters.len()))
            .collect();
        for entry in &rest.dead_letters {
            self.dead_letter_bytes -= entry.bytes() as u64;
        }
        batch.calls = self.calls.drain(..).collect();
        // The remainder is the next batch, without lingering.
        self.urgent = !self.is_empty();
        batch.is_closing = self.closing;
        batch.is_last = self.closing && self.is_empty();
        batch
    }
}
