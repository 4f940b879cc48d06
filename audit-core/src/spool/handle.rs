//! The handle of a spool, and how it is opened.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::committer::Committer;
use super::dead::{Burial, Buried, SpooledLetter};
use super::error::SpoolError;
use super::inbox::{Inbox, Task, Waiter, Waiting};
use super::site::Site;
use super::status::{Published, SpoolStatus, State};
use super::store::{Guarantee, Page, PendingRow, Store};
use super::verify::SpoolCheck;
use crate::event::{Event, EventId};
use crate::spool::verify;
use crate::telemetry::HealthState;

/// A gigabyte: about a million events, or three hours of what the service takes.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// The part of it that dead letters may have.
const DEAD_SHARE: u64 = 4;

/// Events on disk, so that they outlive the process. Cheap to clone; all clones are one spool.
///
/// One SQLite file, which one process at a time may use. A thread of its own writes it: whatever
/// waits is written in one transaction, and synced, before anybody is told that it is on the disk.
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
/// Pending events occupy at most [`SpoolBuilder::max_bytes`], beyond which events are refused; dead
/// letters at most a quarter of that beside them, beyond which the oldest makes room and is
/// counted. 8,192 events, of at most 16 MiB, may wait for the disk. On a full disk no event is
/// added, what was delivered is still deleted, and events are taken again when there is space.
///
/// # Files
///
/// The file is readable by its owner only, and so is its folder if it had to be made. Beside it
/// stand SQLite's `-wal` and `-shm`, a `.lock`, and a `.reserve` of 1 MiB, which is given up when
/// the disk is full.
///
/// A file that cannot be read is set aside as `.corrupt-` with the time in milliseconds, what can
/// be read of it is kept, and [`SpoolStatus::set_aside`] names it. A byte of the `-wal` that
/// changed while no service ran costs what was written there from that place on, and SQLite cannot
/// tell that from a log that was never longer: nothing is counted then. A file that a newer version
/// wrote is left alone, and one that ends in `.v1` is used beside it.
#[derive(Clone, Debug)]
pub struct Spool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    inbox: Arc<Inbox>,
    published: Arc<Published>,
    max_bytes: u64,
    boundary: i64,
    done: Mutex<Done>,
}

#[derive(Debug)]
enum Done {
    /// Resolves when the file is closed.
    Waiting(oneshot::Receiver<Vec<Event>>),
    /// Somebody waits for it, or has.
    Taken,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// Opens a [`Spool`]; see [`Spool::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SpoolBuilder {
    path: PathBuf,
    max_bytes: u64,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
}

impl SpoolBuilder {
    /// How many bytes the pending events may occupy, 1 GiB unless said otherwise: that of their
    /// facts, and 48 for each event. Beyond, events are refused. The file is somewhat larger.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Opens the spool, or begins one. Blocks for some milliseconds, for a quarter of a second if
    /// another has it open, and for longer if a damaged file has to be read.
    ///
    /// # Errors
    ///
    /// Another process, or another spool of this one, has the file open
    /// ([`SpoolError::is_locked`]); it is the database of another program
    /// ([`SpoolError::is_foreign`]); or the folder or the file cannot be read and written. A file
    /// that is damaged is no error.
    pub fn open(self) -> Result<Spool, SpoolError> {
        let mut site = Site::take(&self.path)?;
        #[cfg(test)]
        {
            site.faults = self.faults;
            site.max_pages = self.max_pages;
        }
        let store = site.open()?;
        let totals = store
            .totals()
            .map_err(|error| SpoolError::open(&self.path, error))?;
        // Where it cannot be read the file is damaged, and is made anew with the first page of
        // events. Those of earlier processes then pass for this one's, which a flush may notice and
        // nothing else.
        let boundary = store.last_row().unwrap_or(0);
        let inbox = Arc::new(Inbox::new(self.max_bytes, totals.pending_bytes));
        let published = Arc::new(Published::new(State {
            totals,
            recovered: totals.pending,
            set_aside: site.set_aside.clone(),
            ..State::default()
        }));
        let (sender, receiver) = oneshot::channel();
        let shared = Shared {
            file: site.file().to_owned(),
            inbox: Arc::clone(&inbox),
            published: Arc::clone(&published),
            max_bytes: self.max_bytes,
            boundary,
            done: Mutex::new(Done::Waiting(receiver)),
        };
        let committer = Committer {
            inbox,
            published,
            site,
            store: Some(store),
            max_dead_bytes: self.max_bytes / DEAD_SHARE,
            done: sender,
        };
        committer.start().map_err(|error| {
            SpoolError::file("start the thread of the spool", &self.path, error)
        })?;
        Ok(Spool {
            shared: Arc::new(shared),
        })
    }
}

impl Spool {
    /// Opens the spool in this file, or begins one, with the usual limits; see
    /// [`SpoolBuilder::open`].
    ///
    /// # Errors
    ///
    /// As [`SpoolBuilder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        Self::builder(path).open()
    }

    /// A spool in this file, to be opened with other limits than the usual.
    pub fn builder(path: impl AsRef<Path>) -> SpoolBuilder {
        SpoolBuilder {
            path: path.as_ref().to_owned(),
            max_bytes: MAX_BYTES,
            #[cfg(test)]
            faults: super::faults::Faults::default(),
            #[cfg(test)]
            max_pages: None,
        }
    }

    /// How it fares. Takes no I/O; what was written in the last 50 ms may not be in it.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let (waiting, _) = self.shared.inbox.waiting();
        self.shared.published.status(self.shared.max_bytes, waiting)
    }

    /// Reads all of the file and says what is wrong with it, while it is in use. A million events
    /// take some seconds, on a thread of its own.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    ///
    /// # Cancellation
    ///
    /// The reading goes on to its end, and nobody hears of it.
    pub async fn verify(&self) -> Result<SpoolCheck, SpoolError> {
        verify::verify(&self.shared.file).await
    }

    /// The dead letters in the rows behind `after`, oldest first: at most `limit`, and no more when
    /// they reach a mebibyte. None means that there are no more. The first are behind row 0.
    ///
    /// [`Recorder::redrive_spooled`](crate::Recorder::redrive_spooled) sends them again.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the spool was closed.
    pub async fn dead_letters(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<SpooledLetter>, SpoolError> {
        self.ask(move |store| store.letters(after, limit)).await
    }

    /// Forgets the dead letters in these rows; how many of them were there.
    ///
    /// # Errors
    ///
    /// As [`Spool::dead_letters`]; nothing has changed then.
    ///
    /// # Cancellation
    ///
    /// They are forgotten all the same.
    pub async fn purge(&self, rows: Vec<i64>) -> Result<u64, SpoolError> {
        self.ask(move |store| store.purge(&rows)).await
    }

    /// Writes what waits and closes the file, so that another may open it. Events are refused from
    /// now on. Dropping the last clone does the same and does not wait.
    ///
    /// # Cancellation
    ///
    /// The file is closed all the same. A second call returns at once.
    pub async fn close(&self) {
        drop(self.close_and_take().await);
    }

    /// [`Spool::close`], and the events that were taken and that the disk did not take in the end.
    pub(crate) async fn close_and_take(&self) -> Vec<Event> {
        self.shared.inbox.close();
        let done = {
            let mut done = self
                .shared
                .done
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *done, Done::Taken)
        };
        match done {
            // An error means that the thread is gone, and the file with it.
            Done::Waiting(closed) => closed.await.unwrap_or_default(),
            Done::Taken => Vec::new(),
        }
    }
}

/// What the recorder and the dispatcher do with it.
impl Spool {
    /// Writes an event. `Ok` from here means that it was taken, the number from the future that it
    /// is on the disk.
    ///
    /// An error, here or from the future, means that it is not on the disk and will not come there.
    /// A future that is dropped changes nothing: the event is written.
    pub(crate) fn append(
        &self,
        event: &Event,
        guarantee: Guarantee,
    ) -> Result<Appended, SpoolError> {
        self.append_for(event, guarantee, Waiter::Keeper)
    }

    /// Takes a durable event. While the disk does not take it, it is tried again, and who waits
    /// goes on waiting; the end of the wait without an answer means that the spool was closed, and
    /// gave the event back.
    pub(crate) fn append_patiently(&self, event: &Event) -> Result<Appended, SpoolError> {
        self.append_for(event, Guarantee::Durable, Waiter::Patient)
    }

    fn append_for(
        &self,
        event: &Event,
        guarantee: Guarantee,
        waiter: impl FnOnce(oneshot::Sender<Result<i64, SpoolError>>) -> Waiter,
    ) -> Result<Appended, SpoolError> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting::new(guarantee, event.to_packed(), waiter(answer));
        self.shared.inbox.append(waiting)?;
        Ok(Appended { receiver })
    }

    /// Takes an event to be written soon, as best effort; nobody waits for it. Never blocks.
    pub(crate) fn enqueue(&self, event: &Event) -> Result<(), SpoolError> {
        let waiting = Waiting::new(Guarantee::BestEffort, event.to_packed(), Waiter::Nobody);
        self.shared.inbox.append(waiting)
    }

    /// The event in this row was delivered, if it is the one of this id: it is deleted within some
    /// 50 ms, or when the disk works again.
    pub(crate) fn acknowledge(&self, row: i64, id: EventId) {
        self.shared.inbox.acknowledge(PendingRow { row, id });
    }

    /// An attempt left open whether the event of this id, in this row, was taken. The first of
    /// these moments is kept, within some 50 ms.
    pub(crate) fn attempted(&self, row: i64, id: EventId, millis: u64) {
        self.shared.inbox.attempted(PendingRow { row, id }, millis);
    }

    /// The event of this id, in this row, was refused for good: it becomes a dead letter.
    pub(crate) fn bury(&self, row: i64, id: EventId, fault: String) -> Result<(), SpoolError> {
        let burial = Burial::new(Buried::Pending(PendingRow { row, id }), fault);
        self.shared.inbox.bury(burial)
    }

    /// The same for an event that is not on the disk.
    pub(crate) fn bury_event(&self, event: &Event, fault: String) -> Result<(), SpoolError> {
        let burial = Burial::new(Buried::Packed(event.to_packed()), fault);
        self.shared.inbox.bury(burial)
    }

    /// The pending events of one guarantee in the rows behind `after`, oldest first: at most
    /// `limit`, and no more when they reach a mebibyte or many rows were looked at.
    pub(crate) async fn load(
        &self,
        guarantee: Guarantee,
        after: i64,
        limit: usize,
    ) -> Result<Page, SpoolError> {
        self.ask(move |store| store.load(guarantee, after, limit))
            .await
    }

    /// Looks for damage that hides rows; where there is some, the file is made anew of what can be
    /// read. The greatest number of a row then.
    pub(crate) async fn mend(&self) -> Result<i64, SpoolError> {
        self.ask(|store| {
            store.look_for_damage()?;
            store.last_number()
        })
        .await
    }

    /// The greatest number of a row when the file was opened: what earlier processes left stands in
    /// these.
    pub(crate) fn boundary(&self) -> i64 {
        self.shared.boundary
    }

    /// Waits until what was taken before this call has met the disk, which may have refused it.
    pub(crate) async fn settle(&self) -> Result<(), SpoolError> {
        self.ask(|_| Ok(())).await
    }

    /// Whether events that were taken still wait for the disk.
    pub(crate) fn is_waiting(&self) -> bool {
        self.shared.inbox.waiting().0 > 0
    }

    /// Events that were pending when the file was opened.
    pub(crate) fn recovered(&self) -> u64 {
        self.shared.published.state().recovered
    }

    /// Makes dead letters pending again, in new rows and with their ids; the number of those that
    /// were there. `told` hears of it even if nobody waits any more.
    pub(crate) async fn redrive(
        &self,
        rows: Vec<i64>,
        told: impl Fn(u64) + Send + 'static,
    ) -> Result<u64, SpoolError> {
        self.ask(move |store| store.redrive(&rows).inspect(|again| told(*again)))
            .await
    }

    /// From now on dead letters that a command asks for are pending again, and `listener` hears how
    /// many.
    pub(crate) fn on_requests(&self, listener: impl Fn(u64) + Send + Sync + 'static) {
        self.shared.published.listen(Box::new(listener));
        // The committer sleeps, and has to know that it looks from now on. A spool that is closed
        // has nothing to look at.
        drop(self.shared.inbox.ask(Box::new(Question {
            work: |_: &mut Store| Ok(()),
            answer: None,
        })));
    }

    /// Whether events are written, and why not.
    pub(crate) fn disk(&self) -> (HealthState, Option<String>) {
        let status = self.status();
        (status.state, status.reason)
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let (sender, receiver) = oneshot::channel();
        self.shared.inbox.ask(Box::new(Question {
            work,
            answer: Some(sender),
        }))?;
        receiver.await.unwrap_or_else(|_| Err(SpoolError::closed()))
    }
}

/// Resolves when the event is on the disk, with the number of its row.
#[derive(Debug)]
#[must_use = "an event is on the disk when this resolves"]
pub(crate) struct Appended {
    receiver: oneshot::Receiver<Result<i64, SpoolError>>,
}

impl Appended {
    /// Stops waiting. `None` means that the spool keeps the event and will write it; otherwise the
    /// answer had come and was not heard yet.
    pub(crate) fn abandon(&mut self) -> Option<Result<i64, SpoolError>> {
        match self.receiver.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Closed) => Some(Err(SpoolError::closed())),
            Err(TryRecvError::Empty) => {
                // From here on an answer finds nobody, and the event is handed back to be written.
                // One may just have come.
                self.receiver.close();
                self.receiver.try_recv().ok()
            }
        }
    }
}

impl Future for Appended {
    type Output = Result<i64, SpoolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = std::task::ready!(Pin::new(&mut self.receiver).poll(context));
        Poll::Ready(answer.unwrap_or_else(|_| Err(SpoolError::closed())))
    }
}

struct Question<T, F> {
    work: F,
    answer: Option<oneshot::Sender<Result<T, SpoolError>>>,
}

impl<T: Send, F: FnMut(&mut Store) -> rusqlite::Result<T> + Send> Task for Question<T, F> {
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        let value = (self.work)(store)?;
        self.tell(Ok(value));
        Ok(())
    }

    fn fail(&mut self, error: SpoolError) {
        self.tell(Err(error));
    }
}

impl<T, F> Question<T, F> {
    fn tell(&mut self, told: Result<T, SpoolError>) {
        if let Some(answer) = self.answer.take() {
            // Whoever asked may have gone.
            drop(answer.send(told));
        }
    }
}
