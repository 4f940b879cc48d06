//! The thread that owns the file: it takes what waits, writes all of it in one transaction, and
//! answers when that is on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::damage::{Missing, Suspicion};
use super::error::{SpoolError, is_disk_full, with_causes};
use super::inbox::{Inbox, Task, Waiting, Work};
use super::recover::may_be_damage;
use super::requests::Requests;
use super::site::Site;
use super::status::{Disk, Published};
use super::store::{Committed, Failed, Group, Store};
use crate::event::Event;
use crate::telemetry::LogLimit;

/// How long to wait before a disk that failed is tried again; doubled with each failure in a row,
/// up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a full disk is asked for space.
const FULL_PAUSE: Duration = Duration::from_millis(250);
/// How often a file is made anew at most, since each leaves the one before behind.
const REBUILD_PAUSE: Duration = Duration::from_secs(60);
/// Unused pages that the file keeps, and how many are given back at a time when there are more.
const SPARE_PAGES: u32 = 4_096;
const TRIM_PAGES: u32 = 256;
/// How many pages are given back at a time on a full disk: they have to fit into the reserve.
const FULL_PAGES: u32 = 64;

pub(super) struct Committer {
    pub(super) inbox: Arc<Inbox>,
    pub(super) published: Arc<Published>,
    pub(super) site: Site,
    /// None while the disk fails.
    pub(super) store: Option<Store>,
    pub(super) max_dead_bytes: u64,
    /// Told when the file is closed and another may open it, with the events that the disk did not
    /// take.
    pub(super) done: oneshot::Sender<Vec<Event>>,
}

/// Says that nothing is taken any more, also when the thread panics.
struct CloseOnDrop(Arc<Inbox>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        drop(self.0.closed());
    }
}

impl Committer {
    pub(super) fn start(self) -> std::io::Result<()> {
        std::thread::Builder::new()
            .name("audit-spool".to_owned())
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(self) {
        let Self {
            inbox,
            published,
            site,
            store,
            max_dead_bytes,
            done,
        } = self;
        let closing = CloseOnDrop(Arc::clone(&inbox));
        let mut disk = Writer {
            inbox,
            published,
            site,
            store,
            max_dead_bytes,
            retracted: Vec::new(),
            last_row: 0,
            failures: 0,
            retry_at: None,
            rebuilt_at: None,
            suspicion: Suspicion::default(),
            requests: Requests::default(),
            full: false,
            log: LogLimit::new(),
        };
        disk.note_reserve();
        loop {
            let work = disk.inbox.next(disk.pause(), disk.retry_at.is_some());
            let (last, closing) = (work.last, work.closing);
            disk.work(work);
            // A disk that takes nothing does not keep the process from ending.
            if last || (closing && !disk.is_fine()) {
                break;
            }
        }
        // The file first, then the lock, then the word that it is free.
        let Writer {
            inbox, store, site, ..
        } = disk;
        let left = inbox.closed();
        drop(closing);
        drop(store);
        drop(site);
        // Nobody may be waiting for it.
        drop(done.send(left));
    }
}

struct Writer {
    inbox: Arc<Inbox>,
    published: Arc<Published>,
    site: Site,
    store: Option<Store>,
    max_dead_bytes: u64,
    /// What a transaction that failed may have left on the disk all the same.
    retracted: Vec<(i64, Vec<u8>)>,
    /// The greatest number that anybody was told.
    last_row: i64,
    failures: u32,
    retry_at: Option<Instant>,
    rebuilt_at: Option<Instant>,
    suspicion: Suspicion,
    requests: Requests,
    full: bool,
    log: LogLimit,
}

impl Writer {
    /// How long to wait for work at most.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let moments = self.retry_at.into_iter().chain(self.next_look());
        let first = moments.min()?;
        Some(first.saturating_duration_since(now))
    }

    /// When to look whether a command asks for dead letters.
    fn next_look(&self) -> Option<Instant> {
        self.is_fine()
            .then(|| self.requests.next_look(&self.published))
            .flatten()
    }

    /// Sends the dead letters again that a command asks for.
    fn answer_requests(&mut self) {
        if self.next_look().is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(store) = &mut self.store else { return };
        if let Err(error) = self.requests.answer(store, &self.published) {
            self.failed(error);
        }
    }

    fn is_fine(&self) -> bool {
        self.store.is_some() && !self.full
    }

    fn is_due(&self) -> bool {
        self.retry_at.is_none_or(|at| at <= Instant::now())
    }

    fn work(&mut self, work: Work) {
        if self.store.is_none() && self.is_due() {
            self.reopen();
        }
        if self.full && self.is_due() {
            self.full = !self.site.reserve();
            self.retry_at = self.full.then(|| Instant::now() + FULL_PAUSE);
        }
        let Work {
            appends,
            mut rest,
            tasks,
            ..
        } = work;
        rest.retracted = std::mem::take(&mut self.retracted);
        if self.store.is_none() {
            let error = SpoolError::disk_down();
            self.give_up(appends, rest, &error);
            for mut task in tasks {
                task.fail(error.clone());
            }
        } else {
            self.commit(appends, rest);
            for task in tasks {
                self.answer(task);
            }
        }
        self.answer_requests();
        self.publish();
    }

    fn commit(&mut self, appends: Vec<Waiting>, rest: Group) {
        let (mut appends, mut rest) = (appends, rest);
        if self.full {
            // Nothing is added, so that what is deleted has the space that is left.
            let added = Group {
                burials: std::mem::take(&mut rest.burials),
                ..Group::default()
            };
            let appends = std::mem::take(&mut appends);
            self.give_up(appends, added, &SpoolError::disk_full());
        }
        let (entries, waiters): (Vec<_>, Vec<_>) = appends
            .into_iter()
            .map(|waiting| (waiting.entry, waiting.waiter))
            .unzip();
        let group = Group {
            appends: entries,
            ..rest
        };
        if group.is_empty() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        let mut done = store.commit(&group, self.max_dead_bytes);
        if matches!(&done, Err(failed) if is_disk_full(&failed.error)) {
            // The log may have been what filled the disk. To empty it, the file has to grow.
            self.site.release();
            if store.empty_log().is_ok() {
                done = store.commit(&group, self.max_dead_bytes);
            }
            self.full = done.is_ok() && !self.site.reserve();
            self.retry_at = self.full.then(|| Instant::now() + FULL_PAUSE);
        }
        match done {
            Ok(Committed { rows, missing }) => {
                self.last_row = rows.iter().copied().fold(self.last_row, i64::max);
                self.failures = 0;
                for (waiter, row) in waiters.into_iter().zip(rows) {
                    waiter.told(row);
                }
                if self.full {
                    self.make_space();
                } else if !group.acknowledged.is_empty() {
                    self.trim();
                }
                self.suspect(missing);
            }
            Err(Failed { error, rows }) => {
                let Group {
                    appends: entries,
                    retracted,
                    ..
                } = &group;
                // The error may be that of the answer only. Nothing of it may be found there later:
                // those who wait are told that it is not on the disk.
                let unsure = rows
                    .iter()
                    .zip(entries)
                    .map(|(row, entry)| (*row, entry.packed.clone()));
                self.retracted = retracted.iter().cloned().chain(unsure).collect();
                let appends = group
                    .appends
                    .into_iter()
                    .zip(waiters)
                    .map(|(entry, waiter)| Waiting { entry, waiter })
                    .collect();
                let mut rest = Group {
                    attempts: group.attempts,
                    burials: group.burials,
                    acknowledged: group.acknowledged,
                    ..Group::default()
                };
                let told = SpoolError::disk(&error);
                let was_damaged = may_be_damage(&error);
                self.failed(error);
                if was_damaged && self.store.is_some() {
                    // The file was made anew, so once more. That is done once a minute at most, so
                    // this comes to an end.
                    rest.retracted = std::mem::take(&mut self.retracted);
                    return self.commit(appends, rest);
                }
                self.give_up(appends, rest, &told);
            }
        }
    }

    /// Events came to their end and were not in their rows. A tree of which a number is damaged
    /// does not lead to them, and would give them out again at the next start.
    fn suspect(&mut self, missing: Vec<Missing>) {
        self.suspicion.add(missing);
        // Once more on the file made anew, or when the disk works again.
        for _ in 0..2 {
            let Some(store) = &mut self.store else { return };
            match self.suspicion.pursue(store) {
                Ok(()) => return,
                Err(error) => self.failed(error),
            }
        }
    }

    /// Tells those who wait, and keeps what nobody waits for until it can be done.
    fn give_up(&mut self, appends: Vec<Waiting>, rest: Group, error: &SpoolError) {
        let mut refused = 0_u64;
        self.retracted.extend(rest.retracted.iter().cloned());
        let (mut awaited, mut rest) = (appends, rest);
        loop {
            let before = awaited.len();
            let kept: Vec<_> = awaited
                .into_iter()
                .filter_map(|waiting| waiting.refuse(error))
                .collect();
            refused += (before - kept.len()) as u64;
            awaited = self.inbox.put_back(kept, std::mem::take(&mut rest));
            if awaited.is_empty() {
                break;
            }
        }
        if refused > 0
            && let Some(suppressed) = self.log.admit()
        {
            tracing::error!(
                events = refused,
                suppressed,
                error = error as &dyn std::error::Error,
                "durable events could not be written"
            );
        }
    }

    /// Decides what follows from an error of the database.
    fn failed(&mut self, error: rusqlite::Error) {
        if is_disk_full(&error) {
            self.full = true;
            self.site.release();
            self.retry_at = Some(Instant::now() + FULL_PAUSE);
            self.make_space();
            return;
        }
        // Closed before anything else looks at the file.
        self.store = None;
        let lately = |at: Instant| at.elapsed() < REBUILD_PAUSE;
        if may_be_damage(&error) && !self.rebuilt_at.is_some_and(lately) {
            self.rebuilt_at = Some(Instant::now());
            match self.site.rebuild(&error.to_string()) {
                Ok(store) => return self.opened(store),
                Err(error) => return self.down(&with_causes(&error)),
            }
        }
        self.down(&error.to_string());
    }

    fn reopen(&mut self) {
        match self.site.open() {
            Ok(store) => self.opened(store),
            Err(error) => self.down(&with_causes(&error)),
        }
    }

    fn opened(&mut self, mut store: Store) {
        // A file that was made anew may not know which numbers were given out. A disk that is read
        // may not be written.
        let ready = store
            .numbers_after(self.last_row)
            .and_then(|()| store.probe());
        match ready {
            Err(error) if !is_disk_full(&error) => return self.down(&error.to_string()),
            _ => {}
        }
        // Now it shows what the failed transaction left. A row that cannot be looked up is taken to
        // be there.
        self.retracted
            .retain(|(row, packed)| store.holds(*row, packed).unwrap_or(true));
        self.store = Some(store);
        self.retry_at = None;
        self.published.state().disk = Disk::Fine;
    }

    fn down(&mut self, reason: &str) {
        self.store = None;
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        if let Some(suppressed) = self.log.admit() {
            tracing::error!(
                suppressed,
                reason,
                "the spool cannot be written, and is tried again"
            );
        }
        self.published.state().disk = Disk::Failing(reason.to_owned());
    }

    fn answer(&mut self, mut task: Box<dyn Task>) {
        // Once more after the file was made anew.
        for _ in 0..2 {
            let Some(store) = &mut self.store else { break };
            match task.run(store) {
                Ok(()) => return,
                Err(error) => {
                    let told = SpoolError::disk(&error);
                    self.failed(error);
                    if self.store.is_none() || self.full {
                        return task.fail(told);
                    }
                }
            }
        }
        task.fail(SpoolError::disk_down());
    }

    fn note_reserve(&mut self) {
        if !self.site.reserve() {
            self.full = true;
            self.retry_at = Some(Instant::now() + FULL_PAUSE);
        }
        self.publish();
    }

    /// Gives the log's space, and some of the file's, back to the disk.
    fn make_space(&mut self) {
        let Some(store) = &self.store else { return };
        let made = store
            .empty_log()
            .and_then(|()| store.give_back(0, FULL_PAGES))
            .and_then(|()| store.empty_log());
        if let Err(error) = made {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "no space was given back"
            );
        }
    }

    /// After an outage the file is far larger than it has to be.
    fn trim(&mut self) {
        let Some(store) = &self.store else { return };
        if let Err(error) = store.give_back(SPARE_PAGES, TRIM_PAGES) {
            self.failed(error);
        }
    }

    fn publish(&mut self) {
        let totals = match &self.store {
            Some(store) => store.totals(),
            None => {
                let totals = self.published.state().totals;
                return self.inbox.set_held(totals.pending_bytes);
            }
        };
        match totals {
            Ok(totals) => {
                self.inbox.set_held(totals.pending_bytes);
                let mut state = self.published.state();
                state.totals = totals;
                state.set_aside.clone_from(&self.site.set_aside);
                match (self.full, &state.disk) {
                    (true, Disk::Fine) => state.disk = Disk::Full,
                    (false, Disk::Full) => state.disk = Disk::Fine,
                    _ => {}
                }
            }
            Err(error) => self.failed(error),
        }
    }
}
