//! Flush barriers: complete a `flush` or `shutdown` once every event accepted before the call has
//! reached a final state.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::disk::Guarantee;
use super::durable_appends::Epoch;

/// The final states of the events behind a [`flush`](crate::Recorder::flush) or
/// [`shutdown`](crate::Recorder::shutdown).
///
/// These are the events that were accepted before the call and were pending then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Accepted by the sink.
    pub delivered: u64,
    /// Represented by a newer event with a `count` ([`EmbeddedCoalesce`](crate::EmbeddedCoalesce)),
    /// which is itself among the others here.
    pub coalesced: u64,
    /// Rejected for good by the sink, and kept in
    /// [`Recorder::dead_letters`](crate::Recorder::dead_letters) or on the spool.
    pub dead: u64,
    /// Not in a final state at the deadline, as far as is known.
    ///
    /// After a flush, delivery continues. After a shutdown, these are the events of which the
    /// dispatcher or the disk has given no account by the deadline, because the sink, the hook or
    /// the disk blocks or is slow: the dispatcher continues with them while the process lives, and
    /// a further call of `shutdown` waits for its report.
    pub pending: u64,
    /// Pending on the spool: at the deadline of a shutdown for the next process, or because the
    /// event fails while others are delivered.
    pub spooled: u64,
    /// Pending at the deadline of a shutdown without a spool; or on a spool whose file was corrupt.
    pub lost: u64,
}

impl Report {
    /// Returns `true` if the sink accepted every event, or one that represents it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.dead == 0 && self.pending == 0 && self.spooled == 0 && self.lost == 0
    }
}

/// The final state of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinalState {
    Delivered,
    Dead,
    /// Represented by a newer event.
    Coalesced,
    /// Moved from the queue to the spool, since it fails while others pass.
    Spooled,
    /// Gone from the file of the spool.
    Lost,
}

/// The origin of an event, with its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The queue, with the position in its order.
    Queue(u64),
    /// The spool, with the position among this process's events of the guarantee.
    Spool(Guarantee, u64),
    /// An earlier process; no flush waits for it.
    Recovered(Guarantee),
}

/// The number of events of each origin that were accepted before a barrier.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watermarks {
    pub(super) queue: u64,
    pub(super) durable: u64,
    pub(super) best_effort: u64,
}

impl Watermarks {
    fn holds(&self, origin: Origin) -> bool {
        match origin {
            Origin::Queue(number) => number < self.queue,
            Origin::Spool(Guarantee::Durable, number) => number < self.durable,
            Origin::Spool(Guarantee::BestEffort, number) => number < self.best_effort,
            Origin::Recovered(_) => false,
        }
    }
}

/// A wait for the events that were accepted before it.
#[derive(Debug)]
pub(super) struct FlushBarrier {
    before: Watermarks,
    /// The epoch of durable appends that it ended.
    epoch: Epoch,
    pub(super) deadline: Instant,
    report: Report,
    reply: oneshot::Sender<Report>,
}

impl FlushBarrier {
    /// Returns a barrier over `pending` events, all of which were accepted before it.
    pub(super) fn new(
        before: Watermarks,
        epoch: Epoch,
        pending: u64,
        deadline: Instant,
        reply: oneshot::Sender<Report>,
    ) -> Self {
        Self {
            before,
            epoch,
            deadline,
            report: Report {
                pending,
                ..Report::default()
            },
            reply,
        }
    }

    /// Records the final state of one event.
    pub(super) fn record(&mut self, origin: Origin, state: FinalState) {
        if self.holds(origin) {
            self.report.pending = self.report.pending.saturating_sub(1);
            match state {
                FinalState::Delivered => self.report.delivered += 1,
                FinalState::Dead => self.report.dead += 1,
                FinalState::Coalesced => self.report.coalesced += 1,
                FinalState::Spooled => self.report.spooled += 1,
                FinalState::Lost => self.report.lost += 1,
            }
        }
    }

    /// Returns whether the barrier waits for the event.
    pub(super) fn holds(&self, origin: Origin) -> bool {
        self.before.holds(origin)
    }

    /// Records that events will never reach a final state.
    pub(super) fn record_missing(&mut self, events: u64) {
        let missed = events.min(self.report.pending);
        self.report.pending -= missed;
        self.report.lost += missed;
    }

    /// Records that the disk refused durable events that were counted in an epoch.
    ///
    /// They are not part of the report, since their callers have them back.
    pub(super) fn record_refused(&mut self, epoch: u64, events: u64) {
        if self.epoch.includes(epoch) {
            self.before.durable = self.before.durable.saturating_sub(events);
            self.report.pending = self.report.pending.saturating_sub(events);
        }
    }

    /// Returns `true` if its events have reached their final states, its deadline has passed, or
    /// its caller stopped waiting.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.report.pending == 0 || self.deadline <= now || self.reply.is_closed()
    }

    pub(super) fn report(&self) -> Report {
        self.report
    }

    /// Sends the report; the caller may have dropped the future.
    pub(super) fn complete(self, report: Report) {
        let _ = self.reply.send(report);
    }
}
