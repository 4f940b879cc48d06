//! What ends: the waiting of those who flush, and the dispatcher itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::dispatcher::{Command, Dispatcher};
use crate::delivery::attempt::Open;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::fence::{Before, Fence, Place, Report};
use crate::delivery::shared::{GUARD_DEADLINE, Shared};
use crate::event::Event;
use crate::sink::Fault;

impl Dispatcher {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { deadline, reply } => {
                let fence = self.fence(deadline, reply);
                self.fences.push(fence);
            }
            Command::Shutdown { deadline, reply } => {
                // From here on nothing gets in, so the events that hold places are all there will
                // be.
                self.shared.queue.close();
                let fence = self.fence(deadline, reply);
                self.shutdowns.push(fence);
            }
        }
    }

    /// The last handle is gone: nobody can ask for a shutdown any more, so this is one.
    pub(super) fn orphan(&mut self) {
        self.orphaned = true;
        let (reply, _nobody) = oneshot::channel();
        self.obey(Command::Shutdown {
            deadline: GUARD_DEADLINE,
            reply,
        });
    }

    /// A fence over everything that this process accepted so far: what is open, what waits in the
    /// queue, which is first in, first out, and what it gave to the spool.
    fn fence(&self, deadline: Duration, reply: oneshot::Sender<Report>) -> Fence {
        let waiting = self.shared.queue.waiting() as u64;
        let [durable, best_effort] = &self.shared.counters.spool_in;
        let before = Before {
            queue: self.fetched + waiting,
            durable: durable.get(),
            best_effort: best_effort.get(),
        };
        let from_queue = |open: &&Open| matches!(open.place, Place::Queue(_));
        let open = self.open.values().filter(from_queue).count() + self.coalescer.held();
        let spooled = (before.durable + before.best_effort).saturating_sub(self.ended_spooled);
        let now = Instant::now();
        // A deadline beyond the clock's range is as good as none.
        let deadline = now
            .checked_add(deadline)
            .unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600));
        Fence::new(before, open as u64 + waiting + spooled, deadline, reply)
    }

    pub(super) fn answer_fences(&mut self) {
        let now = Instant::now();
        for fence in self.fences.extract_if(.., |fence| fence.is_due(now)) {
            let report = fence.report();
            fence.answer(report);
        }
    }

    /// Whether a shutdown has nothing left to wait for: its events have come to their ends and none
    /// holds a place, or a deadline has come.
    pub(super) fn is_over(&self) -> bool {
        let now = Instant::now();
        let Some(first) = self.shutdowns.first() else {
            return false;
        };
        (self.shared.queue.held() == 0 && first.report().pending == 0)
            || self.shutdowns.iter().any(|fence| fence.deadline <= now)
    }

    /// What is left goes to the spool, or is lost; then everybody who waits is told what came of it
    /// all.
    pub(super) async fn end(&mut self, why: &'static str) {
        self.in_flight.clear();
        let shared = Arc::clone(&self.shared);
        let mut lost = Vec::new();
        let mut spool_takes = shared.spool.is_some();
        for event in self.left() {
            if spool_takes {
                spool_takes = spill(&shared, &event).await;
            }
            if !spool_takes {
                lost.push(event);
            }
        }
        if let Some(spool) = &shared.spool {
            let unwritten = spool.close_and_take().await;
            let count = unwritten.len() as u64;
            shared.counters.spool_out.add(count);
            self.ended_spooled += count;
            lost.extend(unwritten);
        }
        let count = lost.len() as u64;
        shared.counters.lost.add(count);
        shared.condition.oldest(None);
        let shutdown = self.shutdowns.first();
        let report = Report {
            lost: count,
            pending: 0,
            spooled: shared.counters.given().saturating_sub(self.ended_spooled),
            ..shutdown.map(Fence::report).unwrap_or_default()
        };
        self.answer_all(*shared.final_report.get_or_init(|| report));
        #[cfg(feature = "metrics")]
        shared.publish_metrics();
        if count > 0 {
            tracing::error!(
                lost = count,
                "audit events were still pending and are lost, since {why}; give shutdown more time, or the recorder a spool, \
                 and find out why the sink is slow"
            );
        }
        for event in lost {
            shared.tell(&DeadLetter::new(event, Fault::lost(why)));
        }
    }

    /// The events that are in memory and nowhere else.
    fn left(&mut self) -> Vec<Event> {
        self.release_all();
        let queue = &self.shared.queue;
        let mut left = Vec::new();
        for (_, open) in std::mem::take(&mut self.open) {
            // What came from the spool is still there.
            if let Some(size) = open.size {
                queue.release(size);
                left.push(open.into_event());
            }
        }
        // A push that saw the queue open just before it was closed may still be on its way in.
        while queue.held() > 0 {
            match queue.pop() {
                Some(event) => {
                    queue.release(event.size());
                    left.push(event);
                }
                None => std::thread::yield_now(),
            }
        }
        left
    }

    fn answer_all(&mut self, report: Report) {
        for fence in self.shutdowns.drain(..).chain(self.fences.drain(..)) {
            fence.answer(report);
        }
        // Those who ask between the last look and the end of the channel get the same answer.
        self.commands.close();
        while let Ok(Command::Flush { reply, .. } | Command::Shutdown { reply, .. }) =
            self.commands.try_recv()
        {
            let _ = reply.send(report);
        }
    }
}

/// Gives an event to the spool, which may first have to write what it has; whether it took it.
async fn spill(shared: &Shared, event: &Event) -> bool {
    if shared.spill(event) {
        return true;
    }
    match &shared.spool {
        Some(spool) => spool.settle().await.is_ok() && shared.spill(event),
        None => false,
    }
}
