//! The handle of a spool.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::corruption::CheckBackoff;
use super::dead_letters::SpooledDeadLetter;
use super::error::SpoolError;
use super::inbox::{Inbox, StoreCall};
use super::queued_append::{OnError, QueuedAppend, Waiter};
use super::rows::{
    AttemptMark, DeadLetterEntry, DeadLetterSource, Guarantee, Page, PendingRow, SpooledEvent,
};
use super::status::{SharedStatus, SpoolStatus};
use super::store::Store;
use super::verify::{self, SpoolCheck};
use crate::event::{Event, EventId};
use crate::telemetry::SpoolHealth;

/// Events on disk, which outlive the process. Cheap to clone; all clones share one spool.
///
/// A spool serves one recorder: its events are delivered to that recorder's sink. Another recorder,
/// also one that [copies](crate::RecorderBuilder::copy_to) go to, needs a file of its own. The
/// clones are for [`Spool::status`] and the dead letters.
///
/// The spool is one SQLite file, used by one process at a time, under whatever name it is opened.
/// On Linux that includes hard links; elsewhere, create none. A dedicated thread writes queued
/// events in one transaction and syncs it before it reports any of them as written.
///
/// ```
/// use audit_core::Spool;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("billing/audit.spool");
/// let spool = Spool::builder(&path).max_bytes(256 * 1024 * 1024).open()?;
/// assert_eq!(spool.status().pending, 0);
///
/// // The file has one user at a time.
/// assert!(Spool::open(&path).is_err_and(|error| error.is_locked()));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Limits
///
/// - Pending events occupy at most [`max_bytes`](super::SpoolBuilder::max_bytes); further events
///   are refused.
/// - Dead letters occupy at most a quarter of that, in addition; the oldest is dropped for a new
///   one, and counted.
/// - 8,192 events, of at most 16 MiB in total, may be queued for the disk; further events are
///   refused.
/// - On a full disk no event is added, but delivered events are still deleted. Events are accepted
///   again once there is space.
///
/// # Files
///
/// The file has to be on a local file system: SQLite's WAL and the locks of the file do not work
/// over a network. It is readable by its owner only, as is its folder if the spool created it.
/// Beside the file are SQLite's `-wal` and `-shm`, a `.lock`, and a `.reserve` of 1 MiB, which is
/// removed when the disk is full.
///
/// A corrupt file is quarantined under a name that ends in `.corrupt-` and the time in
/// milliseconds, listed in [`SpoolStatus::quarantined`]. Its pages are read one by one, so that
/// only events whose own bytes are corrupt are lost, even if the header or the first page is
/// corrupt. They are counted; if the totals of the file are corrupt as well,
/// [`SpoolStatus::is_loss_unknown`] is set, and health is degraded until the process ends. If
/// corruption hides which rows were deleted, delivered events are sent again, under the same
/// idempotency key.
///
/// If the WAL is corrupted while no process has the file open, SQLite silently truncates it at the
/// first bad frame; events after that point are lost and cannot be counted.
///
/// If a file is removed, renamed or replaced while the spool uses it, everything in it is moved to
/// a new file at the same path, which is logged, counted in [`SpoolStatus::relocated`], and makes
/// the spool unhealthy for a minute. A durable event is acknowledged only after the files were
/// found in place; without one, they are looked at every second while events are on disk. Until a
/// new file can be written, durable events are refused. A file that took the name is quarantined
/// unchanged under a name that ends in `.replaced-` and the time. A renamed folder takes its files
/// along. All of this is for Unix; on Windows an open file keeps its name.
///
/// A file that a newer version wrote is left unchanged, and one that ends in `.v1` is used beside
/// it.
#[derive(Clone, Debug)]
pub struct Spool {
    shared: Arc<Shared>,
}

/// The state that all clones of a spool share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) file: PathBuf,
    pub(super) inbox: Arc<Inbox>,
    pub(super) status: Arc<SharedStatus>,
    pub(super) max_bytes: u64,
    pub(super) last_row_at_open: i64,
    pub(super) check_backoff: Arc<CheckBackoff>,
    /// Set while a recorder uses the spool: its events go to that recorder's sink.
    pub(super) has_recorder: AtomicBool,
    /// Resolves when the file is closed; taken by the first call that waits for it.
    pub(super) closed: Mutex<Option<oneshot::Receiver<Vec<Event>>>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Spool {
    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns a snapshot of the status, without I/O.
    ///
    /// It may lack what was written in the last 50 ms.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let queued = self.shared.inbox.queued_events();
        self.shared.status.snapshot(self.shared.max_bytes, queued)
    }

    /// Reads the whole file while it is in use, and returns what is corrupt in it.
    ///
    /// Runs on a thread of its own; a million events take some seconds.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    ///
    /// # Cancellation
    ///
    /// The check runs to completion; its result is discarded.
    pub async fn verify(&self) -> Result<SpoolCheck, SpoolError> {
        verify::verify(&self.shared.file).await
    }

    /// Returns the dead letters in the rows after `after`, oldest first; 0 starts at the first.
    ///
    /// A page has at most `limit` dead letters and ends once it holds 1 MiB of events. An empty one
    /// means that there are no more. To send them again, call
    /// [`Recorder::redrive_spooled`](crate::Recorder::redrive_spooled).
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the spool was closed.
    pub async fn dead_letters(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<SpooledDeadLetter>, SpoolError> {
        self.call(move |store| store.dead_letters(after, limit))
            .await
    }

    /// Deletes the dead letters in these rows. Returns the number of those that were found.
    ///
    /// # Errors
    ///
    /// As [`Spool::dead_letters`]; nothing has changed then.
    ///
    /// # Cancellation
    ///
    /// The dead letters are deleted even if the future is dropped.
    pub async fn purge(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        self.call(move |store| store.purge(&rows)).await
    }

    /// Writes queued events and closes the file, so that another process can open it.
    ///
    /// Events are refused from now on. Dropping the last clone does the same without waiting.
    ///
    /// # Cancellation
    ///
    /// The file is closed even if the future is dropped. A second call returns at once.
    pub async fn close(&self) {
        drop(self.close_and_drain().await);
    }

    /// Closes the spool, and returns the accepted events that could not be written.
    pub(crate) async fn close_and_drain(&self) -> Vec<Event> {
        self.shared.inbox.close();
        let closed = self
            .shared
            .closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match closed {
            // An error means that the thread has ended, and the file is closed.
            Some(closed) => closed.await.unwrap_or_default(),
            None => Vec::new(),
        }
    }
}

/// The calls of the recorder and the dispatcher.
impl Spool {
    /// Reserves the spool for one recorder, or returns the reason why another has to be opened.
    pub(crate) fn claim(&self) -> Result<(), Unclaimable> {
        let file = || self.shared.file.clone();
        if self.shared.inbox.is_closing() {
            return Err(Unclaimable::Closed(file()));
        }
        let was_claimed = self.shared.has_recorder.swap(true, Ordering::Relaxed);
        (!was_claimed)
            .then_some(())
            .ok_or_else(|| Unclaimable::Taken(file()))
    }

    /// Undoes [`Spool::claim`] for a recorder that could not start.
    pub(crate) fn release_claim(&self) {
        self.shared.has_recorder.store(false, Ordering::Relaxed);
    }

    /// Queues an event to be written. The future resolves with its row id once it is on disk.
    ///
    /// An error, here or from the future, means that the event is not on disk and never will be.
    ///
    /// # Cancellation
    ///
    /// The event is written even if the future is dropped.
    pub(crate) fn append(
        &self,
        event: &Event,
        guarantee: Guarantee,
    ) -> Result<PendingAppend, SpoolError> {
        self.append_with(event, guarantee, OnError::ReturnToCaller)
    }

    /// Queues a durable event, and retries it until the spool is closed.
    ///
    /// The future fails only if the spool was closed before the event was written;
    /// [`Spool::close_and_drain`] has then returned the event.
    pub(crate) fn append_until_closed(&self, event: &Event) -> Result<PendingAppend, SpoolError> {
        self.append_with(event, Guarantee::Durable, OnError::KeepRetrying)
    }

    fn append_with(
        &self,
        event: &Event,
        guarantee: Guarantee,
        on_error: OnError,
    ) -> Result<PendingAppend, SpoolError> {
        let (result, receiver) = oneshot::channel();
        let waiter = Some(Waiter::new(result, on_error));
        let append = QueuedAppend::new(guarantee, event.to_packed(), waiter);
        self.shared.inbox.append(append)?;
        Ok(PendingAppend { receiver })
    }

    /// Queues a best-effort event, which has no waiter. Never blocks.
    pub(crate) fn enqueue(&self, event: &Event) -> Result<(), SpoolError> {
        self.enqueue_attempted(event, None)
    }

    /// Queues a best-effort event, with the time of its first attempt whose result is not known, in
    /// milliseconds since 1970.
    pub(crate) fn enqueue_attempted(
        &self,
        event: &Event,
        first_attempt: Option<u64>,
    ) -> Result<(), SpoolError> {
        let append = QueuedAppend::new(Guarantee::BestEffort, event.to_packed(), None);
        self.shared
            .inbox
            .append(append.with_first_attempt(first_attempt))
    }

    /// Deletes a delivered event, if the row holds the event of this id.
    ///
    /// Takes effect within some 50 ms, or once the disk works again.
    pub(crate) fn acknowledge(&self, row: i64, id: EventId) {
        self.shared.inbox.acknowledge(PendingRow { row, id });
    }

    /// Keeps the time of an attempt that begins; only the first is kept.
    ///
    /// Takes effect within some 50 ms, so an event that was sent just before a crash may lack it.
    pub(crate) fn record_attempt(&self, row: i64, id: EventId, millis: u64) {
        let pending = PendingRow { row, id };
        let mark = AttemptMark::Begun(millis);
        self.shared.inbox.mark_attempt(pending, mark);
    }

    /// Removes the time of an attempt that certainly did not reach the sink.
    pub(crate) fn forget_attempt(&self, row: i64, id: EventId, millis: u64) {
        let pending = PendingRow { row, id };
        let mark = AttemptMark::NotReceived(millis);
        self.shared.inbox.mark_attempt(pending, mark);
    }

    /// Makes a rejected event a dead letter, if the row holds the event of this id.
    pub(crate) fn move_to_dead_letters(
        &self,
        row: i64,
        id: EventId,
        fault: String,
    ) -> Result<(), SpoolError> {
        let source = DeadLetterSource::Pending(PendingRow { row, id });
        let entry = DeadLetterEntry::new(source, fault);
        self.shared.inbox.add_dead_letter(entry)
    }

    /// Adds a dead letter for a rejected event that is not on disk.
    pub(crate) fn add_dead_letter(&self, event: &Event, fault: String) -> Result<(), SpoolError> {
        let entry = DeadLetterEntry::new(DeadLetterSource::Packed(event.to_packed()), fault);
        self.shared.inbox.add_dead_letter(entry)
    }

    /// Reads the pending events of one guarantee in the rows after `after`, oldest first.
    ///
    /// A page has at most `limit` events, and ends once it holds 1 MiB of events or 4,096 rows were
    /// read.
    pub(crate) async fn load(
        &self,
        guarantee: Guarantee,
        after: i64,
        limit: usize,
    ) -> Result<Page, SpoolError> {
        self.call(move |store| store.load(guarantee, after, limit))
            .await
    }

    /// Reads the pending events in these rows, in the order of the rows.
    ///
    /// A row that is gone or unreadable is left out.
    pub(crate) async fn load_rows(&self, rows: Vec<i64>) -> Result<Vec<SpooledEvent>, SpoolError> {
        self.call(move |store| store.load_rows(&rows)).await
    }

    /// Reads at most `limit` pending events from a place between the oldest, 0, and the newest, 1.
    pub(crate) async fn sample(&self, place: f64, limit: usize) -> Result<Page, SpoolError> {
        self.call(move |store| store.sample(place, limit)).await
    }

    /// Returns the time at which the oldest pending event was recorded, in milliseconds since 1970.
    pub(crate) async fn oldest_millis(&self) -> Result<Option<u64>, SpoolError> {
        self.call(|store| store.oldest_millis()).await
    }

    /// Returns the number of dead letters that were dropped for newer ones, since the file was
    /// created.
    pub(crate) fn dead_dropped(&self) -> u64 {
        self.shared.status.values().totals.dead_dropped
    }

    /// Checks for corruption that hides rows, and rebuilds a corrupt file.
    ///
    /// Returns the largest row id that a pending event had by then. After a check that failed, the
    /// next ones fail at once for a while, up to a minute.
    pub(crate) async fn check_for_corruption(&self) -> Result<i64, SpoolError> {
        let backoff = Arc::clone(&self.shared.check_backoff);
        if !backoff.is_due(Instant::now()) {
            return Err(SpoolError::disk_down());
        }
        self.call(move |store| {
            let checked = store.check_integrity();
            backoff.note(checked.is_ok(), Instant::now());
            checked?;
            store.last_row_id()
        })
        .await
    }

    /// Returns the largest row id when the file was opened.
    ///
    /// Rows up to it hold the events of earlier processes.
    pub(crate) fn last_row_at_open(&self) -> i64 {
        self.shared.last_row_at_open
    }

    /// Waits until the appends queued before this call were written or refused by the disk.
    pub(crate) async fn wait_for_appends(&self) -> Result<(), SpoolError> {
        self.call(|_| Ok(())).await
    }

    /// Returns the number of accepted events whose write is not confirmed, those of the
    /// transaction in progress included.
    pub(crate) fn unwritten(&self) -> u64 {
        self.shared.inbox.unwritten_events()
    }

    /// Returns the number of events that were pending when the file was opened.
    pub(crate) fn recovered(&self) -> u64 {
        self.shared.status.values().recovered
    }

    /// Makes dead letters pending again, in new rows and with their ids.
    ///
    /// Returns the number of those that were found, and passes it to `on_redriven` even if the
    /// future was dropped.
    pub(crate) async fn redrive(
        &self,
        rows: Vec<i64>,
        on_redriven: impl Fn(u64) + Send + 'static,
    ) -> Result<u64, SpoolError> {
        self.call(move |store| store.redrive(&rows).inspect(|count| on_redriven(*count)))
            .await
    }

    /// Serves redrive requests of commands from now on, and passes each count to `on_redriven`.
    pub(crate) fn serve_redrive_requests(&self, on_redriven: impl Fn(u64) + Send + Sync + 'static) {
        self.shared.status.set_on_redriven(Box::new(on_redriven));
        // Wakes the committer, which polls from now on. A closed spool has nothing to poll.
        drop(self.shared.inbox.call(Box::new(ClosureCall {
            work: |_: &mut Store| Ok(()),
            result: None,
        })));
    }

    /// Returns the health of writes, which is part of a recorder's health.
    pub(crate) fn write_health(&self) -> SpoolHealth {
        let SpoolStatus { state, reason, .. } = self.status();
        SpoolHealth { state, reason }
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let (sender, receiver) = oneshot::channel();
        self.shared.inbox.call(Box::new(ClosureCall {
            work,
            result: Some(sender),
        }))?;
        receiver.await.unwrap_or_else(|_| Err(SpoolError::closed()))
    }
}

/// The reason why a spool accepts no further recorder, with its path.
#[derive(Debug)]
pub(crate) enum Unclaimable {
    Taken(PathBuf),
    Closed(PathBuf),
}

/// Resolves with the row id once the event is on disk.
#[derive(Debug)]
#[must_use = "an event is on disk once this resolves"]
pub(crate) struct PendingAppend {
    receiver: oneshot::Receiver<Result<i64, SpoolError>>,
}

impl PendingAppend {
    /// Stops waiting.
    ///
    /// Returns the result if there already is one that was not received. `None` means that the
    /// spool keeps the event and will write it.
    pub(crate) fn abandon(&mut self) -> Option<Result<i64, SpoolError>> {
        match self.receiver.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Closed) => Some(Err(SpoolError::closed())),
            Err(TryRecvError::Empty) => {
                // From here on the committer cannot send an error, and keeps the event instead. A
                // result may have been sent just before.
                self.receiver.close();
                self.receiver.try_recv().ok()
            }
        }
    }
}

impl Future for PendingAppend {
    type Output = Result<i64, SpoolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = std::task::ready!(Pin::new(&mut self.receiver).poll(context));
        Poll::Ready(result.unwrap_or_else(|_| Err(SpoolError::closed())))
    }
}

/// A closure on the store, with the channel for its result.
struct ClosureCall<T, F> {
    work: F,
    result: Option<oneshot::Sender<Result<T, SpoolError>>>,
}

impl<T: Send, F: FnMut(&mut Store) -> rusqlite::Result<T> + Send> StoreCall for ClosureCall<T, F> {
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        let value = (self.work)(store)?;
        self.report(Ok(value));
        Ok(())
    }

    fn fail(&mut self, error: SpoolError) {
        self.report(Err(error));
    }
}

impl<T, F> ClosureCall<T, F> {
    fn report(&mut self, result: Result<T, SpoolError>) {
        if let Some(sender) = self.result.take() {
            // The caller may have dropped its future.
            drop(sender.send(result));
        }
    }
}
