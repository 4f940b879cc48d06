//! How the spool fares.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::totals::Totals;
use crate::telemetry::HealthState;

/// How a [`Spool`](super::Spool) fares, see [`Spool::status`](super::Spool::status).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// Events on disk that are not delivered yet.
    pub pending: u64,
    /// The bytes that they occupy.
    pub pending_bytes: u64,
    /// The bytes that pending events may occupy.
    pub max_bytes: u64,
    /// Events that were accepted and wait to be written.
    pub waiting: u64,
    /// Dead letters on disk.
    pub dead: u64,
    /// The bytes that they occupy; at most a quarter of `max_bytes`.
    pub dead_bytes: u64,
    /// Dead letters that made room for newer ones, since the file was made.
    pub dead_dropped: u64,
    /// Rows in which no event could be read any more, since the file was made. What stood in them
    /// is kept in the file.
    pub damaged: u64,
    /// Events that were pending when the spool was opened.
    pub recovered: u64,
    /// Whether events are written: green, yellow while the disk is full, red while it fails.
    pub state: HealthState,
    /// Why the level is not green, in a sentence for people.
    pub reason: Option<String>,
    /// Files that were set aside because they could not be read, or left alone because a newer
    /// version wrote them. They stay until somebody removes them.
    pub set_aside: Vec<PathBuf>,
}

/// What can be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Disk {
    #[default]
    Fine,
    Full,
    Failing(String),
}

/// The status as the committer left it.
#[derive(Debug, Default)]
pub(super) struct Published {
    state: Mutex<State>,
    listener: OnceLock<Listener>,
}

/// Hears how many dead letters are pending again because a command asked for it.
struct Listener(Box<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(..)")
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) totals: Totals,
    pub(super) disk: Disk,
    pub(super) recovered: u64,
    pub(super) set_aside: Vec<PathBuf>,
}

impl Published {
    pub(super) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            listener: OnceLock::new(),
        }
    }

    /// The first who listens does so for good: a spool has one recorder.
    pub(super) fn listen(&self, listener: Box<dyn Fn(u64) + Send + Sync>) {
        drop(self.listener.set(Listener(listener)));
    }

    /// Who hears of letters that are sent again, if there is anybody who would deliver them.
    pub(super) fn listener(&self) -> Option<&(dyn Fn(u64) + Send + Sync)> {
        self.listener.get().map(|listener| &*listener.0)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self, max_bytes: u64, waiting: u64) -> SpoolStatus {
        let state = self.state().clone();
        let (level, reason) = match state.disk {
            Disk::Fine => (HealthState::Healthy, None),
            Disk::Full => (
                HealthState::Degraded,
                Some("the disk of the spool is full; durable events are refused until there is space".to_owned()),
            ),
            Disk::Failing(error) => (
                HealthState::Unhealthy,
                Some(format!("the spool cannot be written, and is tried again: {error}")),
            ),
        };
        SpoolStatus {
            pending: state.totals.pending,
            pending_bytes: state.totals.pending_bytes,
            max_bytes,
            waiting,
            dead: state.totals.dead,
            dead_bytes: state.totals.dead_bytes,
            dead_dropped: state.totals.dead_dropped,
            damaged: state.totals.damaged,
            recovered: state.recovered,
            state: level,
            reason,
            set_aside: state.set_aside,
        }
    }
}
