//! Status snapshot of a spool.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::totals::Totals;
use crate::telemetry::HealthState;

/// The status of a [`Spool`](super::Spool), from [`Spool::status`](super::Spool::status).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// Events on disk that are not delivered yet.
    pub pending: u64,
    /// The bytes that they occupy.
    pub pending_bytes: u64,
    /// The bytes that pending events may occupy.
    pub max_bytes: u64,
    /// Accepted events that are not written yet.
    pub waiting: u64,
    /// Dead letters on disk.
    pub dead: u64,
    /// The bytes that they occupy; at most a quarter of `max_bytes`.
    pub dead_bytes: u64,
    /// Dead letters that were dropped for newer ones, since the file was created.
    pub dead_dropped: u64,
    /// Rows in which no event could be read, since the file was created. Their bytes are kept in
    /// the file.
    pub corrupt_rows: u64,
    /// Events that were pending when the spool was opened, including those that are lost because
    /// the file was corrupt, as far as their number is known.
    pub recovered: u64,
    /// The file was corrupt since the spool was opened, and the number of events that are lost
    /// cannot be read from it either. [`Stats::lost`](crate::Stats::lost) is then a lower bound.
    pub is_loss_unknown: bool,
    /// Times that the file was removed or replaced while it was in use, since the spool was opened.
    /// Each time, its events were moved to a new file.
    pub relocated: u64,
    /// The size of the write-ahead log (`-wal`). It grows beyond 8 MiB only while another program
    /// reads the file without an end.
    pub wal_bytes: u64,
    /// The health of the file: degraded while the disk is full, while the write-ahead log is larger
    /// than 256 MiB, and after an unknown loss; unhealthy while writes fail, and for a minute after
    /// the file was removed or replaced.
    pub state: HealthState,
    /// The reason for a state other than healthy, as a sentence for an operator.
    pub reason: Option<String>,
    /// Files that were quarantined because they are corrupt or took the name of the file in use, or
    /// left unchanged because a newer version wrote them. The spool never removes them.
    pub quarantined: Vec<PathBuf>,
}

/// The state of writes to the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum WriteState {
    #[default]
    Working,
    Full,
    Failing(String),
}

/// The status that the committer writes and the handles read.
#[derive(Debug, Default)]
pub(super) struct SharedStatus {
    values: Mutex<StatusValues>,
    on_redriven: OnceLock<RedriveCallback>,
}

/// Receives the number of dead letters that became pending because a command requested it.
struct RedriveCallback(Box<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for RedriveCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedriveCallback(..)")
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct StatusValues {
    pub(super) totals: Totals,
    pub(super) writes: WriteState,
    pub(super) recovered: u64,
    pub(super) is_loss_unknown: bool,
    pub(super) quarantined: Vec<PathBuf>,
    pub(super) relocated: u64,
    /// The last time, with the reason.
    pub(super) last_relocation: Option<(Instant, &'static str)>,
    pub(super) wal_bytes: u64,
    /// The size from which the WAL degrades the spool.
    pub(super) max_wal_bytes: u64,
}

/// The time after a relocation during which the spool is unhealthy.
const RELOCATION_WINDOW: Duration = Duration::from_secs(60);

impl StatusValues {
    /// Returns the health while writes work.
    fn working_state(&self) -> (HealthState, Option<String>) {
        if let Some((at, reason)) = self.last_relocation
            && at.elapsed() < RELOCATION_WINDOW
        {
            let reason = format!(
                "the spool was in use when {reason}; its events were moved to a new file; stop the service before its files are \
                 changed, and find out who changed them"
            );
            return (HealthState::Unhealthy, Some(reason));
        }
        if self.is_loss_unknown {
            let reason = "the spool was corrupt, and an unknown number of events is lost; the quarantined file has what is left of them";
            return (HealthState::Degraded, Some(reason.to_owned()));
        }
        if self.has_large_wal() {
            let reason = format!(
                "the `-wal` file of the spool has {} MiB and grows while another program reads the spool; end that program",
                self.wal_bytes / (1024 * 1024)
            );
            return (HealthState::Degraded, Some(reason));
        }
        (HealthState::Healthy, None)
    }

    pub(super) fn has_large_wal(&self) -> bool {
        self.wal_bytes > self.max_wal_bytes
    }
}

impl SharedStatus {
    pub(super) fn new(values: StatusValues) -> Self {
        Self {
            values: Mutex::new(values),
            on_redriven: OnceLock::new(),
        }
    }

    /// Sets the callback for redriven dead letters. The first one stays: a spool has one recorder.
    pub(super) fn set_on_redriven(&self, callback: Box<dyn Fn(u64) + Send + Sync>) {
        drop(self.on_redriven.set(RedriveCallback(callback)));
    }

    /// Returns the callback for redriven dead letters; `None` without a recorder.
    pub(super) fn on_redriven(&self) -> Option<&(dyn Fn(u64) + Send + Sync)> {
        self.on_redriven.get().map(|callback| &*callback.0)
    }

    pub(super) fn values(&self) -> MutexGuard<'_, StatusValues> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self, max_bytes: u64, waiting: u64) -> SpoolStatus {
        let values = self.values().clone();
        let (state, reason) = match &values.writes {
            WriteState::Working => values.working_state(),
            WriteState::Full => (
                HealthState::Degraded,
                Some(
                    "the disk of the spool is full; durable events are refused until there is space"
                        .to_owned(),
                ),
            ),
            WriteState::Failing(error) => (
                HealthState::Unhealthy,
                Some(format!(
                    "the spool cannot be written; retrying within seconds: {error}"
                )),
            ),
        };
        SpoolStatus {
            pending: values.totals.pending,
            pending_bytes: values.totals.pending_bytes,
            max_bytes,
            waiting,
            dead: values.totals.dead,
            dead_bytes: values.totals.dead_bytes,
            dead_dropped: values.totals.dead_dropped,
            corrupt_rows: values.totals.corrupt_rows,
            recovered: values.recovered,
            is_loss_unknown: values.is_loss_unknown,
            relocated: values.relocated,
            wal_bytes: values.wal_bytes,
            state,
            reason,
            quarantined: values.quarantined,
        }
    }
}
