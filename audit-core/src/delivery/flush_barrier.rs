//! Fences: who waits until everything accepted before their call has come to an end.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::disk::Guarantee;

/// What became of the events behind a [`flush`](crate::Recorder::flush) or
/// [`shutdown`](crate::Recorder::shutdown).
///
/// The events are those that were accepted before the call and had not come to an end by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The sink took them.
    pub delivered: u64,
    /// A newer one, with a `count`, stands for them
    /// ([`EmbeddedCoalesce`](crate::EmbeddedCoalesce)); it is itself among the others here.
    pub coalesced: u64,
    /// The sink refused them for good; they are in
    /// [`Recorder::dead_letters`](crate::Recorder::dead_letters), or on the spool.
    pub dead: u64,
    /// The deadline came first. After a flush they are still on their way.
    pub pending: u64,
    /// The deadline of a shutdown came first; they are on the spool, for the next process.
    pub spooled: u64,
    /// The deadline of a shutdown came first, and there is nowhere to keep them; or the spool's
    /// file was damaged.
    pub lost: u64,
}

impl Report {
    /// Whether the sink took every one of them, or one that stands for it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.dead == 0 && self.pending == 0 && self.spooled == 0 && self.lost == 0
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinalState {
    Delivered,
    Dead,
    /// A newer one stands for it.
    Coalesced,
}

/// Where an event stands among those that a fence waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its number in the order of the queue.
    Queue(u64),
    /// Its number among the events of its guarantee that this process gave to the spool.
    Spool(Guarantee, u64),
    /// An earlier process accepted it; nobody waits.
    Recovered(Guarantee),
}

/// How many events of each way were accepted before a barrier.
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

/// Waits for the events that were accepted before it.
#[derive(Debug)]
pub(super) struct FlushBarrier {
    before: Watermarks,
    pub(super) deadline: Instant,
    report: Report,
    reply: oneshot::Sender<Report>,
}

impl FlushBarrier {
    /// A fence over `open` events, all of which were accepted before it.
    pub(super) fn new(
        before: Watermarks,
        open: u64,
        deadline: Instant,
        reply: oneshot::Sender<Report>,
    ) -> Self {
        Self {
            before,
            deadline,
            report: Report {
                pending: open,
                ..Report::default()
            },
            reply,
        }
    }

    /// One event came to its end.
    pub(super) fn record(&mut self, origin: Origin, end: FinalState) {
        if self.holds(origin) {
            self.report.pending = self.report.pending.saturating_sub(1);
            match end {
                FinalState::Delivered => self.report.delivered += 1,
                FinalState::Dead => self.report.dead += 1,
                FinalState::Coalesced => self.report.coalesced += 1,
            }
        }
    }

    /// Whether it waits for the event there.
    pub(super) fn holds(&self, origin: Origin) -> bool {
        self.before.holds(origin)
    }

    /// So many events will never come to an end.
    pub(super) fn record_missing(&mut self, events: u64) {
        let missed = events.min(self.report.pending);
        self.report.pending -= missed;
        self.report.lost += missed;
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.report.pending == 0 || self.deadline <= now
    }

    pub(super) fn report(&self) -> Report {
        self.report
    }

    /// Answers whoever waits; they may have stopped waiting.
    pub(super) fn complete(self, report: Report) {
        let _ = self.reply.send(report);
    }
}
