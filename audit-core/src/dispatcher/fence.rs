//! Fences: who waits until everything accepted before their call has come to an end.

use tokio::sync::oneshot;
use tokio::time::Instant;

/// What became of the events behind a [`flush`](crate::Recorder::flush) or [`shutdown`](crate::Recorder::shutdown).
///
/// The events are those that were accepted before the call and had not come to an end by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The sink took them.
    pub delivered: u64,
    /// The sink refused them for good; they are in [`Recorder::dead_letters`](crate::Recorder::dead_letters).
    pub dead: u64,
    /// The deadline came first. After a flush they are still on their way.
    pub pending: u64,
    /// The deadline of a shutdown came first, and there is nowhere to keep them.
    pub lost: u64,
}

impl Report {
    /// Whether the sink took every one of them.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.dead == 0 && self.pending == 0 && self.lost == 0
    }
}

/// Waits for the events numbered below `before`.
#[derive(Debug)]
pub(super) struct Fence {
    pub(super) before: u64,
    pub(super) deadline: Instant,
    report: Report,
    reply: oneshot::Sender<Report>,
}

impl Fence {
    /// A fence over `open` events, all numbered below `before`.
    pub(super) fn new(
        before: u64,
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
    pub(super) fn ended(&mut self, number: u64, delivered: bool) {
        if number < self.before {
            self.report.pending = self.report.pending.saturating_sub(1);
            if delivered {
                self.report.delivered += 1;
            } else {
                self.report.dead += 1;
            }
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.report.pending == 0 || self.deadline <= now
    }

    pub(super) fn report(&self) -> Report {
        self.report
    }

    /// Answers whoever waits; they may have stopped waiting.
    pub(super) fn answer(self, report: Report) {
        let _ = self.reply.send(report);
    }
}
