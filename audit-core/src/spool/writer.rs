//! Writing of batches in group commits, and recovery from the errors of the disk.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::corruption::CorruptionCheck;
use super::error::{SpoolError, is_disk_full, may_be_corrupt, with_causes};
use super::inbox::{Batch, Inbox, StoreCall};
use super::open::Opener;
use super::placement::Placement;
use super::queued_append::{QueuedAppend, Waiter};
use super::redrive_requests::RedriveRequests;
use super::rows::{MissingEvent, NewEvent};
use super::status::{SharedStatus, WriteState};
use super::store::{Committed, FailedCommit, Group, Store};
use crate::event::{Event, EventId};
use crate::telemetry::LogLimit;

/// The pause after a failure of the disk: doubled with each failure in a row, up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The time between two attempts to allocate the reserve on a full disk.
const FULL_PAUSE: Duration = Duration::from_millis(250);
/// The shortest time between two rebuilds, since each leaves a quarantined file.
const REBUILD_INTERVAL: Duration = Duration::from_secs(60);
/// Unused pages that the file keeps, and the number released at a time when there are more.
const SPARE_PAGES: u32 = 4_096;
const RELEASED_PAGES: u32 = 256;
/// The number released at a time on a full disk, where the transaction has to fit into the reserve.
const RELEASED_PAGES_FULL: u32 = 64;

/// Writes batches to the file, and reacts to the errors of the disk.
pub(super) struct Writer {
    inbox: Arc<Inbox>,
    pub(super) status: Arc<SharedStatus>,
    pub(super) opener: Opener,
    /// `None` while the disk fails.
    pub(super) store: Option<Store>,
    /// A store whose files were displaced, for this reason, until its rows can be moved.
    pub(super) displaced: Option<(Store, &'static str)>,
    /// The last time that the files were found in place.
    pub(super) placed_at: Option<Instant>,
    max_dead_bytes: u64,
    /// Rows that a failed transaction may have written all the same.
    pub(super) retracted: Vec<(i64, Vec<u8>)>,
    /// The largest row id acknowledged to a caller.
    last_row: i64,
    failures: u32,
    retry_at: Option<Instant>,
    rebuilt_at: Option<Instant>,
    corruption_check: CorruptionCheck,
    redrive_requests: RedriveRequests,
    pub(super) full: bool,
    log: LogLimit,
    pub(super) wal_log: LogLimit,
}

impl Writer {
    /// Creates the writer, allocates the reserve, and publishes the first status.
    pub(super) fn new(
        inbox: Arc<Inbox>,
        status: Arc<SharedStatus>,
        opener: Opener,
        store: Store,
        max_dead_bytes: u64,
    ) -> Self {
        let mut writer = Self {
            inbox,
            status,
            opener,
            store: Some(store),
            displaced: None,
            placed_at: None,
            max_dead_bytes,
            retracted: Vec::new(),
            last_row: 0,
            failures: 0,
            retry_at: None,
            rebuilt_at: None,
            corruption_check: CorruptionCheck::default(),
            redrive_requests: RedriveRequests::default(),
            full: false,
            log: LogLimit::new(),
            wal_log: LogLimit::new(),
        };
        if !writer.opener.reserve() {
            writer.full = true;
            writer.retry_at = Some(Instant::now() + FULL_PAUSE);
        }
        writer.publish();
        writer
    }

    /// Closes the file, then releases its lock.
    ///
    /// Returns the events of a displaced file that could not be moved to a new one, without those
    /// that are `finished`.
    pub(super) fn close(mut self, finished: &HashSet<EventId>) -> Vec<Event> {
        let is_empty = |store: &Store| store.totals().is_ok_and(|totals| totals.is_empty());
        if self.store.as_ref().is_some_and(|store| !is_empty(store)) {
            self.keep_in_place(true);
        } else if self.displaced.is_some() {
            self.reopen();
        }
        self.abandon(finished)
    }

    /// Returns `true` during the pause after a failure, or while the disk is full.
    pub(super) fn is_paused(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Returns the longest wait for work; `None` without a limit.
    pub(super) fn max_wait(&self) -> Option<Duration> {
        let now = Instant::now();
        let moments = self.retry_at.into_iter();
        let moments = moments.chain(self.next_poll()).chain(self.next_look());
        let first = moments.min()?;
        Some(first.saturating_duration_since(now))
    }

    /// Returns the time of the next poll for redrive requests.
    fn next_poll(&self) -> Option<Instant> {
        self.is_working()
            .then(|| self.redrive_requests.next_poll(&self.status))
            .flatten()
    }

    fn serve_redrive_requests(&mut self) {
        if self.next_poll().is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(store) = &mut self.store else { return };
        if let Err(error) = self.redrive_requests.serve(store, &self.status) {
            self.on_error(error);
        }
    }

    pub(super) fn is_working(&self) -> bool {
        self.store.is_some() && !self.full
    }

    fn is_retry_due(&self) -> bool {
        self.retry_at.is_none_or(|at| at <= Instant::now())
    }

    pub(super) fn process(&mut self, batch: Batch) {
        if self.store.is_none() && self.is_retry_due() {
            self.reopen();
        }
        if self.full && self.is_retry_due() {
            self.full = !self.opener.reserve();
            self.retry_at = self.full.then(|| Instant::now() + FULL_PAUSE);
        }
        let Batch {
            appends,
            mut rest,
            calls,
            ..
        } = batch;
        rest.retracted = std::mem::take(&mut self.retracted);
        if self.store.is_none() {
            let error = SpoolError::disk_down();
            self.fail_or_requeue(appends, rest, &error);
            for mut call in calls {
                call.fail(error.clone());
            }
        } else {
            self.commit(appends, rest);
            for call in calls {
                self.run_call(call);
            }
        }
        self.serve_redrive_requests();
        self.publish();
        if self.next_look().is_some_and(|at| at <= Instant::now()) {
            self.keep_in_place(false);
            self.shorten_wal();
        }
    }

    fn commit(&mut self, appends: Vec<QueuedAppend>, rest: Group) {
        let (mut appends, mut rest) = (appends, rest);
        if self.full {
            // Nothing is added, so that deletions have the remaining space.
            let additions = Group {
                dead_letters: std::mem::take(&mut rest.dead_letters),
                ..Group::default()
            };
            let appends = std::mem::take(&mut appends);
            self.fail_or_requeue(appends, additions, &SpoolError::disk_full());
        }
        let (events, waiters): (Vec<_>, Vec<_>) = appends
            .into_iter()
            .map(|append| (append.event, append.waiter))
            .unzip();
        let group = Group {
            appends: events,
            ..rest
        };
        if group.is_empty() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        let mut result = store.commit(&group, self.max_dead_bytes);
        if matches!(&result, Err(failed) if is_disk_full(&failed.error)) {
            // The WAL may have filled the disk. Truncating it needs space for the main file.
            self.opener.release_reserve();
            if store.truncate_wal().is_ok() {
                result = store.commit(&group, self.max_dead_bytes);
            }
            self.full = result.is_ok() && !self.opener.reserve();
            self.retry_at = self.full.then(|| Instant::now() + FULL_PAUSE);
        }
        match result {
            Ok(Committed { rows, missing }) => {
                let is_acknowledged = waiters.iter().any(Option::is_some);
                if !self.keep_in_place(is_acknowledged) {
                    // The rows will be in the next file, and the rest of the group is done.
                    let appends = self.retract(group.appends, waiters, &rows);
                    let error = SpoolError::disk_down();
                    return self.fail_or_requeue(appends, Group::default(), &error);
                }
                self.last_row = rows.iter().copied().fold(self.last_row, i64::max);
                self.failures = 0;
                for (waiter, row) in waiters.into_iter().zip(rows) {
                    if let Some(waiter) = waiter {
                        waiter.succeed(row);
                    }
                }
                if self.full {
                    self.free_disk_space();
                } else if !group.acknowledged.is_empty() {
                    self.release_pages();
                }
                self.check_missing(missing);
            }
            Err(failed) => self.on_failed_commit(group, waiters, failed),
        }
    }

    fn on_failed_commit(
        &mut self,
        group: Group,
        waiters: Vec<Option<Waiter>>,
        failed: FailedCommit,
    ) {
        let FailedCommit { error, rows } = failed;
        let retracted = group.retracted;
        let appends = self.retract(group.appends, waiters, &rows);
        self.retracted.extend(retracted);
        let mut rest = Group {
            attempts: group.attempts,
            dead_letters: group.dead_letters,
            acknowledged: group.acknowledged,
            ..Group::default()
        };
        let reported = SpoolError::disk(&error);
        let may_be_corrupt = may_be_corrupt(&error);
        self.on_error(error);
        if may_be_corrupt && self.store.is_some() {
            // The file was rebuilt, so the commit is repeated. A rebuild happens at most once a
            // minute, which bounds the recursion.
            rest.retracted = std::mem::take(&mut self.retracted);
            return self.commit(appends, rest);
        }
        self.fail_or_requeue(appends, rest, &reported);
    }

    /// Notes rows whose waiters receive an error, and returns their appends.
    ///
    /// They may be on disk although the transaction returned an error. None may be found later: the
    /// waiters take the error as "not on disk".
    fn retract(
        &mut self,
        events: Vec<NewEvent>,
        waiters: Vec<Option<Waiter>>,
        rows: &[i64],
    ) -> Vec<QueuedAppend> {
        let ambiguous = rows
            .iter()
            .zip(&events)
            .map(|(row, event)| (*row, event.packed.clone()));
        self.retracted.extend(ambiguous);
        events
            .into_iter()
            .zip(waiters)
            .map(|(event, waiter)| QueuedAppend { event, waiter })
            .collect()
    }

    /// Checks the file if events in their final state were missing from their rows.
    ///
    /// A corrupt row id may hide their rows, and would bring them back at the next start.
    fn check_missing(&mut self, missing: Vec<MissingEvent>) {
        self.corruption_check.add(missing);
        // The second run is on the rebuilt file.
        for _ in 0..2 {
            let Some(store) = &mut self.store else { return };
            match self.corruption_check.run(store) {
                Ok(()) => return,
                Err(error) => self.on_error(error),
            }
        }
    }

    /// Reports the error to the callers that want it, and requeues the rest of the work.
    fn fail_or_requeue(&mut self, appends: Vec<QueuedAppend>, rest: Group, error: &SpoolError) {
        let mut refused = 0_u64;
        self.retracted.extend(rest.retracted.iter().cloned());
        let (mut to_fail, mut rest) = (appends, rest);
        loop {
            let before = to_fail.len();
            let kept: Vec<_> = to_fail
                .into_iter()
                .filter_map(|append| append.fail(error))
                .collect();
            refused += (before - kept.len()) as u64;
            to_fail = self.inbox.requeue(kept, std::mem::take(&mut rest));
            if to_fail.is_empty() {
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

    /// Handles an error of the database: a full disk, a corrupt file, or a failing disk.
    pub(super) fn on_error(&mut self, error: rusqlite::Error) {
        if is_disk_full(&error) {
            self.full = true;
            self.opener.release_reserve();
            self.retry_at = Some(Instant::now() + FULL_PAUSE);
            self.free_disk_space();
            return;
        }
        // A file without a name is gone once it is closed.
        if let Placement::Displaced(reason) = self.opener.placement()
            && let Some(store) = self.store.take()
        {
            return self.relocate(store, reason);
        }
        // Closed before the file is used in any other way.
        self.store = None;
        let recently = |at: Instant| at.elapsed() < REBUILD_INTERVAL;
        if may_be_corrupt(&error) && !self.rebuilt_at.is_some_and(recently) {
            self.rebuilt_at = Some(Instant::now());
            match self.opener.rebuild(&error.to_string()) {
                Ok(store) => return self.on_opened(store),
                Err(error) => return self.pause(&with_causes(&error)),
            }
        }
        self.pause(&error.to_string());
    }

    pub(super) fn reopen(&mut self) {
        if let Some((store, reason)) = self.displaced.take() {
            return self.relocate(store, reason);
        }
        if let Placement::Displaced(reason) = self.opener.placement() {
            tracing::error!(
                spool = %self.opener.file().display(),
                reason,
                pending = self.status.values().totals.pending,
                "the files of the spool were changed after it was closed because of a failing disk; opening what has its name now"
            );
        }
        match self.opener.open() {
            Ok(store) => self.on_opened(store),
            Err(error) => self.pause(&with_causes(&error)),
        }
    }

    pub(super) fn on_opened(&mut self, mut store: Store) {
        // A rebuilt file may not know which row ids were used. A disk that can be read may still
        // refuse writes.
        let ready = store
            .continue_row_ids_after(self.last_row)
            .and_then(|()| store.probe());
        match ready {
            Err(error) if !is_disk_full(&error) => return self.pause(&error.to_string()),
            _ => {}
        }
        // The reopened file shows which rows of the failed transaction exist. A row that cannot be
        // read is assumed to exist.
        self.retracted
            .retain(|(row, packed)| store.contains(*row, packed).unwrap_or(true));
        self.store = Some(store);
        self.retry_at = None;
        self.status.values().writes = WriteState::Working;
    }

    /// Closes the file until the next retry.
    pub(super) fn pause(&mut self, reason: &str) {
        self.store = None;
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        if let Some(suppressed) = self.log.admit() {
            tracing::error!(
                suppressed,
                reason,
                "the spool cannot be written; retrying within seconds"
            );
        }
        self.status.values().writes = WriteState::Failing(reason.to_owned());
    }

    fn run_call(&mut self, mut call: Box<dyn StoreCall>) {
        // The second run is on the rebuilt file.
        for _ in 0..2 {
            let Some(store) = &mut self.store else { break };
            match call.run(store) {
                Ok(()) => return,
                Err(error) => {
                    let reported = SpoolError::disk(&error);
                    self.on_error(error);
                    if self.store.is_none() || self.full {
                        return call.fail(reported);
                    }
                }
            }
        }
        call.fail(SpoolError::disk_down());
    }

    /// Returns the space of the WAL, and some of the main file, to the disk.
    fn free_disk_space(&mut self) {
        let Some(store) = &self.store else { return };
        let freed = store
            .truncate_wal()
            .and_then(|()| store.release_pages(0, RELEASED_PAGES_FULL))
            .and_then(|()| store.truncate_wal());
        if let Err(error) = freed {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the spool could not free disk space"
            );
        }
    }

    /// Shrinks the file, which after an outage of the sink is far larger than it has to be.
    fn release_pages(&mut self) {
        let Some(store) = &self.store else { return };
        if let Err(error) = store.release_pages(SPARE_PAGES, RELEASED_PAGES) {
            self.on_error(error);
        }
    }

    fn publish(&mut self) {
        let totals = match &self.store {
            Some(store) => store.totals(),
            None => {
                let totals = self.status.values().totals;
                return self.inbox.set_pending_bytes(totals.pending_bytes);
            }
        };
        match totals {
            Ok(totals) => {
                self.inbox.set_pending_bytes(totals.pending_bytes);
                let mut values = self.status.values();
                values.totals = totals;
                values.quarantined.clone_from(&self.opener.quarantined);
                values.is_loss_unknown = self.opener.loss.is_unknown;
                match (self.full, &values.writes) {
                    (true, WriteState::Working) => values.writes = WriteState::Full,
                    (false, WriteState::Full) => values.writes = WriteState::Working,
                    _ => {}
                }
            }
            Err(error) => self.on_error(error),
        }
    }
}
