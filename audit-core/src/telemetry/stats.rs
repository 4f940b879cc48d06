//! The ledger: every event is counted where it came in and where it ended.

use std::sync::atomic::{AtomicU64, Ordering};

/// A snapshot of a recorder's counts, since it was built.
///
/// At rest, with no call under way, they balance:
/// `accepted + recovered + generated = delivered + coalesced + pending + spooled + dead + lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// `record` answered `Ok`.
    pub accepted: u64,
    /// `record` handed the event back: the queue was full, or the recorder was shut down.
    pub refused: u64,
    /// Of those, the ones that nobody kept: the framework had nobody to hand them to, or the error
    /// was dropped with the event inside.
    /// [`RecorderBuilder::gap_action`](crate::RecorderBuilder::gap_action) tells of them in the
    /// trail.
    pub dropped: u64,
    /// Events that the recorder made itself: those that tell of a gap.
    pub generated: u64,
    /// The sink took the event.
    pub delivered: u64,
    /// Events for which a newer one stands, whose `count` says so
    /// ([`EmbeddedCoalesce`](crate::EmbeddedCoalesce)).
    pub coalesced: u64,
    /// Events of earlier processes that were on the spool when it was opened, and dead letters of
    /// the spool that were sent again.
    pub recovered: u64,
    /// On the spool: what waits there, what is being delivered from there, and what was moved there
    /// at the end.
    pub spooled: u64,
    /// Waiting, in flight, between two attempts, or held until their window's end, in memory.
    pub pending: u64,
    /// The bytes that pending events occupy.
    pub pending_bytes: u64,
    /// Refused for good by the sink: dead letters. Those that were [sent
    /// again](crate::Recorder::redrive) are pending instead; those that were purged, or made room
    /// for others, stay in this count.
    pub dead: u64,
    /// Accepted, but still pending when the deadline of the shutdown came, or when the dispatcher
    /// was given up; or on a spool whose file was damaged.
    pub lost: u64,
    /// Durable events that were not on the disk when whoever recorded them went on: there was no
    /// spool, it was at its bound, or the deadline came first. They are written, or delivered from
    /// memory, all the same.
    pub deadline_exceeded: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub retried: u64,
    /// Events in which a value was cut.
    pub truncated: u64,
    /// Events that nobody named an actor for.
    pub unresolved: u64,
    /// Calls of audited functions that left no event because their body said so (see
    /// [`Draft::skip`](crate::Draft::skip)) or because the attribute's `on` leaves their outcome
    /// out.
    pub skipped: u64,
    /// Mutating requests that succeeded and left no event (see
    /// [`OnUnaudited`](crate::web::OnUnaudited)).
    pub unaudited: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
    pub(crate) dropped: Counter,
    pub(crate) generated: Counter,
    pub(crate) recovered: Counter,
    /// Dead letters of the spool that were sent again.
    pub(crate) redriven: Counter,
    /// Durable events that this process appended to the spool.
    pub(crate) appended_durable: Counter,
    /// Best-effort events that this process appended to the spool.
    pub(crate) appended_best_effort: Counter,
    /// Durable events of which whoever gave them has not heard yet whether they are there.
    pub(crate) unsettled: Counter,
    /// Events that came to their end from there.
    pub(crate) spool_out: Counter,
    pub(crate) delivered: Counter,
    pub(crate) coalesced: Counter,
    pub(crate) dead: Counter,
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

    pub(crate) fn spooled(&self) -> u64 {
        (self.recovered.get() + self.appended()).saturating_sub(self.spool_out.get())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Takes back what was added before.
    pub(crate) fn take_back(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
