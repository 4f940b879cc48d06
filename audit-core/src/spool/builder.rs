//! Configuration and opening of a spool.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::committer::Committer;
use super::error::SpoolError;
use super::handle::{Shared, Spool};
use super::inbox::Inbox;
use super::open::Opener;
use super::ownership::LOCK_TIMEOUT;
use super::status::{SharedStatus, StatusValues};

/// A gibibyte: about a million events, or three hours of what the service accepts.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// The fraction of it that dead letters may occupy: a quarter.
const DEAD_SHARE: u64 = 4;
/// The size of the write-ahead log from which the spool is degraded: far beyond the 8 MiB that it
/// keeps, and far below what fills a disk.
const MAX_WAL_BYTES: u64 = 256 * 1024 * 1024;
/// The wait for a lock whose end is beyond the range of the clock.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Configures and opens a [`Spool`]; see [`Spool::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SpoolBuilder {
    path: PathBuf,
    max_bytes: u64,
    lock_wait: Duration,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
    #[cfg(test)]
    pub(super) max_wal_bytes: Option<u64>,
}

impl SpoolBuilder {
    /// Sets the bytes that pending events may occupy; default 1 GiB.
    ///
    /// An event counts with the bytes of its fields and 48 more. Events beyond the limit are
    /// refused. The file is somewhat larger than the limit.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets how long [`open`](Self::open) waits for another process that has the file open; default
    /// and minimum a quarter of a second.
    ///
    /// For a service whose predecessor is still in its shutdown, as in a deployment that starts the
    /// new process first. The wait blocks the calling thread. It does not help against a process
    /// that keeps running: its spool stays locked, and `open` fails at the end of the wait.
    ///
    /// ```
    /// use audit_core::Spool;
    /// use std::time::Duration;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("audit.spool");
    /// let spool = Spool::builder(&path).wait_for_lock(Duration::from_secs(20)).open()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_for_lock(mut self, at_most: Duration) -> Self {
        self.lock_wait = at_most;
        self
    }

    /// Opens the spool, or creates it.
    ///
    /// The path is made absolute and its links are followed once, here: a later change of the
    /// working directory, or of a link, does not move the spool.
    ///
    /// Blocks for some milliseconds; for the [wait](Self::wait_for_lock) if another process has it
    /// open; and for longer if a corrupt file has to be rebuilt, which is not an error.
    ///
    /// # Errors
    ///
    /// - [`SpoolError::is_locked`]: another process, or another spool of this one, has the file
    ///   open, under this name or another. The message names the process if it is known.
    /// - [`SpoolError::is_foreign`]: the file is a database of another program.
    /// - The folder or the file cannot be read and written.
    pub fn open(self) -> Result<Spool, SpoolError> {
        let now = Instant::now();
        let wait_until = now
            .checked_add(self.lock_wait)
            .unwrap_or(now + LONGEST_WAIT);
        let mut opener = Opener::lock(&self.path, wait_until)?;
        #[cfg(test)]
        {
            opener.faults = self.faults;
            opener.max_pages = self.max_pages;
        }
        let store = opener.open()?;
        let totals = store
            .totals()
            .map_err(|error| SpoolError::open(opener.file(), error))?;
        // An error means that the file is corrupt; it is rebuilt when the first page is read.
        // Events of earlier processes then count as new ones, which only a flush can notice.
        let last_row_at_open = store.last_pending_row().unwrap_or(0);
        let inbox = Arc::new(Inbox::new(self.max_bytes, totals.pending_bytes));
        #[cfg(not(test))]
        let max_wal_bytes = MAX_WAL_BYTES;
        #[cfg(test)]
        let max_wal_bytes = self.max_wal_bytes.unwrap_or(MAX_WAL_BYTES);
        let status = Arc::new(SharedStatus::new(StatusValues {
            totals,
            // Those that a rebuild lost count as lost once they cannot be read.
            recovered: totals.pending.saturating_add(opener.loss.lost),
            is_loss_unknown: opener.loss.is_unknown,
            quarantined: opener.quarantined.clone(),
            max_wal_bytes,
            ..StatusValues::default()
        }));
        let (sender, receiver) = oneshot::channel();
        let shared = Shared {
            file: opener.file().to_owned(),
            inbox: Arc::clone(&inbox),
            status: Arc::clone(&status),
            max_bytes: self.max_bytes,
            last_row_at_open,
            check_backoff: Arc::default(),
            has_recorder: AtomicBool::new(false),
            closed: Mutex::new(Some(receiver)),
        };
        let committer = Committer {
            inbox,
            status,
            opener,
            store,
            max_dead_bytes: self.max_bytes / DEAD_SHARE,
            closed: sender,
        };
        committer.start().map_err(|error| {
            SpoolError::file("start the thread of the spool", &self.path, error)
        })?;
        Ok(Spool::new(shared))
    }
}

impl Spool {
    /// Opens the spool in this file, or creates it, with the default limits.
    ///
    /// See [`SpoolBuilder::open`] for the time that it takes.
    ///
    /// # Errors
    ///
    /// As [`SpoolBuilder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        Self::builder(path).open()
    }

    /// Starts to configure a spool in this file.
    pub fn builder(path: impl AsRef<Path>) -> SpoolBuilder {
        SpoolBuilder {
            path: path.as_ref().to_owned(),
            max_bytes: MAX_BYTES,
            lock_wait: LOCK_TIMEOUT,
            #[cfg(test)]
            faults: super::faults::Faults::default(),
            #[cfg(test)]
            max_pages: None,
            #[cfg(test)]
            max_wal_bytes: None,
        }
    }
}
