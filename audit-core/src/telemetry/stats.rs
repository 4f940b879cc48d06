//! The ledger: every event is counted when it enters and when it reaches its final state.

use std::sync::atomic::{AtomicU64, Ordering};

/// A snapshot of a recorder's counts since it was built.
///
/// While no call is in progress, they balance:
/// `accepted + recovered + generated = delivered + coalesced + pending + spooled + dead + lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events that `record` accepted.
    pub accepted: u64,
    /// Events that `record` returned: the queue was full, or the recorder was shut down.
    pub refused: u64,
    /// Refused events that were lost: the error was dropped with the event inside, or the event
    /// came from a macro, which cannot return it.
    ///
    /// [`RecorderBuilder::gap_action`](crate::RecorderBuilder::gap_action) reports them as an event
    /// in the audit log.
    pub dropped: u64,
    /// Events that the recorder generated itself to report a gap.
    pub generated: u64,
    /// Events that the sink accepted.
    pub delivered: u64,
    /// Events that were replaced by a newer, equal one, whose `count` includes them
    /// ([`EmbeddedCoalesce`](crate::EmbeddedCoalesce)).
    pub coalesced: u64,
    /// Events of earlier processes that were on the spool when it was opened, and dead letters of
    /// the spool that were redriven.
    pub recovered: u64,
    /// Events on the spool: those that wait there, those being delivered from there, and those
    /// moved there by a shutdown.
    pub spooled: u64,
    /// Events in memory: queued, in flight, between two attempts, or held until their coalescing
    /// window closes.
    pub pending: u64,
    /// The bytes that the pending events occupy.
    pub pending_bytes: u64,
    /// Dead letters: events that the sink rejected for good.
    ///
    /// Dead letters that were [redriven](crate::Recorder::redrive) are pending instead. Those that
    /// were purged, or removed to make room for newer ones, stay in this count.
    pub dead: u64,
    /// Dead letters in memory that were dropped for newer ones, of those in `dead`.
    ///
    /// The spool counts its own.
    pub dead_dropped: u64,
    /// Accepted events that were still pending at the deadline of the shutdown, or when the
    /// dispatcher was stopped after too many panics, or were in a spool file that became corrupt.
    ///
    /// A lower bound if [`SpoolStatus::is_loss_unknown`](crate::SpoolStatus::is_loss_unknown).
    pub lost: u64,
    /// Durable events whose caller continued before they were on disk: there was no spool, it was
    /// full, or the write missed the deadline.
    ///
    /// They are still written, or delivered from memory.
    pub deadline_exceeded: u64,
    /// Failed attempts that were, or will be, retried.
    pub retried: u64,
    /// Events in which a value was truncated.
    pub truncated: u64,
    /// Events without an actor.
    pub unresolved: u64,
    /// Calls of audited functions that intentionally recorded no event: the body skipped it
    /// ([`Draft::skip`](crate::Draft::skip)), or the attribute's `on` excludes the outcome.
    pub skipped: u64,
    /// Mutating requests that succeeded without an event (see
    /// [`OnUnaudited`](crate::web::OnUnaudited)).
    pub unaudited: u64,
}

/// The counters of a recorder, shared by its handles and the dispatcher.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
    pub(crate) dropped: Counter,
    pub(crate) generated: Counter,
    pub(crate) recovered: Counter,
    /// Dead letters of the spool that were redriven.
    pub(crate) redriven: Counter,
    /// Durable events that this process appended to the spool.
    pub(crate) appended_durable: Counter,
    /// Best-effort events that this process appended to the spool.
    pub(crate) appended_best_effort: Counter,
    /// Durable appends whose result was not yet returned to the caller.
    pub(crate) unacknowledged: Counter,
    /// Events of the spool that reached their final state.
    pub(crate) spool_finished: Counter,
    pub(crate) delivered: Counter,
    pub(crate) coalesced: Counter,
    pub(crate) dead: Counter,
    /// Dead letters in memory that were dropped for newer ones.
    pub(crate) dead_dropped: Counter,
    pub(crate) lost: Counter,
    pub(crate) deadline_exceeded: Counter,
    pub(crate) retried: Counter,
    pub(crate) truncated: Counter,
    pub(crate) unresolved: Counter,
    pub(crate) skipped: Counter,
    pub(crate) unaudited: Counter,
}

impl Counters {
    /// Returns the events that this process appended to the spool.
    pub(crate) fn appended(&self) -> u64 {
        self.appended_durable.get() + self.appended_best_effort.get()
    }

    /// Returns the events that are on the spool.
    pub(crate) fn spooled(&self) -> u64 {
        (self.recovered.get() + self.appended()).saturating_sub(self.spool_finished.get())
    }
}

/// A counter without ordering: it is only ever read for reports.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Subtracts a part of the numbers that were added before.
    pub(crate) fn subtract(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
