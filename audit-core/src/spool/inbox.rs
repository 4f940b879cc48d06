//! Between those who use the spool and the thread that owns the file: bounded, and no lock is held
//! for long.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::dead::Burial;
use super::error::{Problem, SpoolError};
use super::store::{Entry, Group, Guarantee, PendingRow, Store};
use super::totals::ROW_BYTES;
use crate::event::Event;

/// How many events may wait for the disk.
const WAITING_EVENTS: usize = 8_192;
/// And how many bytes of them, with the dead letters that wait.
const WAITING_BYTES: u64 = 16 * 1024 * 1024;
/// How many questions may wait for an answer.
const WAITING_TASKS: usize = 64;
/// How many events one transaction takes, and about how many bytes.
const GROUP_EVENTS: usize = 1_024;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// How many rows one transaction acknowledges: on a full disk the pages that it changes have to fit
/// into a megabyte.
const GROUP_ROWS: usize = 128;
/// How long what nobody waits for is gathered.
const LINGER: Duration = Duration::from_millis(50);

type Answer = oneshot::Sender<Result<i64, SpoolError>>;

/// Who waits for an event that is on its way to the disk.
#[derive(Debug)]
pub(super) enum Waiter {
    Nobody,
    /// Wants to hear when the disk does not take it, and has the event then.
    Keeper(Answer),
    /// Goes on waiting then. The event stays here, as if nobody waited.
    Patient(Answer),
}

impl Waiter {
    fn is_anybody(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// The event is on the disk, in this row. Whoever gave up waiting will find it pending.
    pub(super) fn told(self, row: i64) {
        if let Self::Keeper(answer) | Self::Patient(answer) = self {
            drop(answer.send(Ok(row)));
        }
    }
}

/// An event on its way to the disk, and who waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) entry: Entry,
    pub(super) waiter: Waiter,
}

/// A question to the database, from which the answer goes to whoever asked.
pub(super) trait Task: Send {
    /// Answers unless there is an error, after which it may be asked again.
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()>;
    fn fail(&mut self, error: SpoolError);
}

/// What the thread does next.
#[derive(Default)]
pub(super) struct Work {
    pub(super) appends: Vec<Waiting>,
    /// All of the group but its appends.
    pub(super) rest: Group,
    pub(super) tasks: Vec<Box<dyn Task>>,
    /// No more is taken.
    pub(super) closing: bool,
    /// Nothing is left.
    pub(super) last: bool,
}

#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: u64,
}

#[derive(Default)]
struct State {
    appends: VecDeque<Waiting>,
    append_bytes: u64,
    attempts: VecDeque<(PendingRow, u64)>,
    burials: VecDeque<Burial>,
    burial_bytes: u64,
    acknowledged: VecDeque<PendingRow>,
    tasks: VecDeque<Box<dyn Task>>,
    /// The bytes of the pending events, and of those that were taken from here to become pending.
    held: u64,
    /// Somebody waits.
    urgent: bool,
    /// The thread sleeps until it is woken, and not only for a while.
    asleep: bool,
    closing: bool,
    closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("appends", &self.appends.len())
            .field("tasks", &self.tasks.len())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}

impl Inbox {
    pub(super) fn new(max_bytes: u64, held: u64) -> Self {
        Self {
            state: Mutex::new(State {
                held,
                ..State::default()
            }),
            changed: Condvar::new(),
            max_bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event, or says why not.
    pub(super) fn append(&self, waiting: Waiting) -> Result<(), SpoolError> {
        let bytes = waiting.entry.bytes();
        let mut state = self.state();
        state.check_open()?;
        let held = state.held.saturating_add(state.append_bytes);
        if held.saturating_add(bytes) > self.max_bytes {
            return Err(Problem::Full {
                held,
                max_bytes: self.max_bytes,
            }
            .into());
        }
        state.check_room(bytes)?;
        state.append_bytes += bytes;
        state.urgent |= waiting.waiter.is_anybody();
        state.appends.push_back(waiting);
        self.wake(state);
        Ok(())
    }

    pub(super) fn bury(&self, burial: Burial) -> Result<(), SpoolError> {
        let mut state = self.state();
        state.check_open()?;
        let bytes = burial.bytes() as u64;
        state.check_room(bytes)?;
        state.burial_bytes += bytes;
        state.burials.push_back(burial);
        self.wake(state);
        Ok(())
    }

    /// Notes an event as delivered. There are never more of them than rows on the disk.
    pub(super) fn acknowledge(&self, pending: PendingRow) {
        let mut state = self.state();
        if !state.closed {
            state.acknowledged.push_back(pending);
            self.wake(state);
        }
    }

    pub(super) fn attempted(&self, pending: PendingRow, millis: u64) {
        let mut state = self.state();
        if !state.closed {
            state.attempts.push_back((pending, millis));
            self.wake(state);
        }
    }

    pub(super) fn ask(&self, task: Box<dyn Task>) -> Result<(), SpoolError> {
        let mut state = self.state();
        state.check_open()?;
        if state.tasks.len() >= WAITING_TASKS {
            return Err(Problem::Busy.into());
        }
        state.tasks.push_back(task);
        state.urgent = true;
        self.wake(state);
        Ok(())
    }

    /// Takes nothing more; what is here is still done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.urgent = true;
        self.wake(state);
    }

    /// Waking a thread costs far more than anything here, so it is woken when it sleeps for good or
    /// somebody waits.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wake = state.urgent || state.asleep || state.appends.len() == WAITING_EVENTS / 2;
        if wake {
            state.asleep = false;
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Waits until there is something to do: at once if somebody waits, and otherwise until enough
    /// of it has gathered. With `at_most`, returns by then with whatever there is. While the disk
    /// `is_failing`, there being much to do is no reason to hurry.
    pub(super) fn next(&self, at_most: Option<Duration>, is_failing: bool) -> Work {
        let begun = Instant::now();
        let mut lingering: Option<Instant> = None;
        let mut state = self.state();
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
            let many = !is_failing && state.appends.len() >= WAITING_EVENTS / 2;
            let ready = state.urgent || many;
            if ready || wait == Some(Duration::ZERO) {
                return state.take();
            }
            state = match wait {
                Some(wait) => {
                    // What comes lingers from then on, and not until the moment for which this
                    // waits.
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

    /// Gives back what could not be done yet, to be taken first. Takes out the others of which
    /// somebody has to be told.
    pub(super) fn put_back(&self, appends: Vec<Waiting>, rest: Group) -> Vec<Waiting> {
        let mut state = self.state();
        let mut awaited = Vec::new();
        for waiting in std::mem::take(&mut state.appends) {
            if matches!(waiting.waiter, Waiter::Keeper(_)) {
                awaited.push(waiting);
            } else {
                state.appends.push_back(waiting);
            }
        }
        for waiting in &awaited {
            state.append_bytes -= waiting.entry.bytes();
        }
        for waiting in appends.into_iter().rev() {
            let bytes = waiting.entry.bytes();
            state.append_bytes += bytes;
            state.held = state.held.saturating_sub(bytes);
            state.appends.push_front(waiting);
        }
        for burial in rest.burials.into_iter().rev() {
            state.burial_bytes += burial.bytes() as u64;
            state.burials.push_front(burial);
        }
        for attempt in rest.attempts.into_iter().rev() {
            state.attempts.push_front(attempt);
        }
        for pending in rest.acknowledged.into_iter().rev() {
            state.acknowledged.push_front(pending);
        }
        state.urgent = !state.tasks.is_empty();
        awaited
    }

    /// The bytes of the pending events are so many, now that nothing of them is on its way.
    pub(super) fn set_held(&self, held: u64) {
        self.state().held = held;
    }

    /// The events and the bytes that wait for the disk.
    pub(super) fn waiting(&self) -> (u64, u64) {
        let state = self.state();
        (state.appends.len() as u64, state.append_bytes)
    }

    /// The thread is gone. Whoever waits is told by the end of its channel; the events that nobody
    /// has elsewhere are handed out, as the disk will not have them.
    pub(super) fn closed(&self) -> Vec<Event> {
        let ended = State {
            closing: true,
            closed: true,
            ..State::default()
        };
        let left = std::mem::replace(&mut *self.state(), ended);
        let is_kept = |waiting: &Waiting| match &waiting.waiter {
            Waiter::Keeper(answer) => !answer.is_closed(),
            Waiter::Patient(_) | Waiter::Nobody => false,
        };
        let appends = left.appends.into_iter();
        appends
            .filter(|waiting| !is_kept(waiting))
            .filter_map(|waiting| Event::from_packed(&waiting.entry.packed).ok())
            .collect()
    }
}

impl State {
    fn check_open(&self) -> Result<(), SpoolError> {
        if self.closing {
            return Err(SpoolError::closed());
        }
        Ok(())
    }

    fn check_room(&self, bytes: u64) -> Result<(), SpoolError> {
        let waiting = self.append_bytes + self.burial_bytes;
        let events = self.appends.len() + self.burials.len();
        if events >= WAITING_EVENTS || waiting.saturating_add(bytes) > WAITING_BYTES {
            return Err(Problem::Behind { bytes: waiting }.into());
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.appends.is_empty()
            && self.tasks.is_empty()
            && self.attempts.is_empty()
            && self.burials.is_empty()
            && self.acknowledged.is_empty()
    }

    /// Takes a group, of bounded size.
    fn take(&mut self) -> Work {
        let mut work = Work::default();
        let mut bytes = 0;
        while work.appends.len() < GROUP_EVENTS && bytes < GROUP_BYTES {
            let Some(waiting) = self.appends.pop_front() else {
                break;
            };
            let size = waiting.entry.bytes();
            self.append_bytes -= size;
            self.held += size;
            bytes += waiting.entry.packed.len();
            work.appends.push(waiting);
        }
        let rest = &mut work.rest;
        let few = |length: usize| length.min(GROUP_ROWS);
        rest.attempts = self.attempts.drain(..few(self.attempts.len())).collect();
        rest.acknowledged = self
            .acknowledged
            .drain(..few(self.acknowledged.len()))
            .collect();
        rest.burials = self.burials.drain(..few(self.burials.len())).collect();
        for burial in &rest.burials {
            self.burial_bytes -= burial.bytes() as u64;
        }
        work.tasks = self.tasks.drain(..).collect();
        // What is left over is done at once, too.
        self.urgent = !self.is_empty();
        work.closing = self.closing;
        work.last = self.closing && self.is_empty();
        work
    }
}

impl Entry {
    /// What it will occupy.
    fn bytes(&self) -> u64 {
        self.packed.len() as u64 + ROW_BYTES
    }
}

impl Waiting {
    pub(super) fn new(guarantee: Guarantee, packed: Vec<u8>, waiter: Waiter) -> Self {
        Self {
            entry: Entry { guarantee, packed },
            waiter,
        }
    }

    /// Tells the keeper that the disk does not have it. Otherwise, or if the keeper has gone, the
    /// event is still to be written, as it was taken: it is handed back.
    pub(super) fn refuse(self, error: &SpoolError) -> Option<Self> {
        let Self { entry, waiter } = self;
        let waiter = match waiter {
            Waiter::Keeper(answer) => match answer.send(Err(error.clone())) {
                Ok(()) => return None,
                Err(_) => Waiter::Nobody,
            },
            patient => patient,
        };
        Some(Self { entry, waiter })
    }
}
