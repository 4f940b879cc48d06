//! Completion of flushes and shutdowns, and the end of the dispatcher.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use super::parts::Command;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::flush_barrier::{FlushBarrier, Origin, Report, Watermarks};
use crate::delivery::pending_event::PendingEvent;
use crate::delivery::pipeline::{GUARD_DEADLINE, Pipeline};
use crate::event::Event;
use crate::sink::Fault;

impl Dispatcher {
    /// Starts a flush or a shutdown.
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Flush { deadline, reply } => {
                let barrier = self.barrier(deadline, reply);
                self.waiters.flushes.push(barrier);
            }
            Command::Shutdown { deadline, reply } => {
                // From here on no event is accepted, so the held places are final.
                self.pipeline.queue.close();
                let barrier = self.barrier(deadline, reply);
                self.waiters.shutdowns.push(barrier);
            }
        }
    }

    /// Shuts down, since no handle is left to request it.
    pub(super) fn on_all_handles_dropped(&mut self) {
        self.all_handles_dropped = true;
        let (reply, _nobody) = oneshot::channel();
        self.on_command(Command::Shutdown {
            deadline: GUARD_DEADLINE,
            reply,
        });
    }

    /// Returns a barrier over everything that this process has accepted: pending events, those in
    /// the queue, and those on the spool.
    fn barrier(&self, deadline: Duration, reply: oneshot::Sender<Report>) -> FlushBarrier {
        let waiting = self.pipeline.queue.waiting() as u64;
        let counters = &self.pipeline.counters;
        let before = Watermarks {
            queue: self.progress.from_queue + waiting,
            durable: counters.appended_durable.get(),
            best_effort: counters.appended_best_effort.get(),
        };
        let from_queue = |open: &&PendingEvent| matches!(open.origin, Origin::Queue(_));
        let open = self.pending.values().filter(from_queue).count() + self.coalescer.held();
        let spooled =
            (before.durable + before.best_effort).saturating_sub(self.progress.finished_spooled);
        let now = Instant::now();
        // A deadline beyond the clock's range is as good as none.
        let deadline = now
            .checked_add(deadline)
            .unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600));
        FlushBarrier::new(before, open as u64 + waiting + spooled, deadline, reply)
    }

    pub(super) fn complete_flushes(&mut self) {
        let now = Instant::now();
        for barrier in self
            .waiters
            .flushes
            .extract_if(.., |barrier| barrier.is_due(now))
        {
            let report = barrier.report();
            barrier.complete(report);
        }
    }

    /// Returns whether a shutdown is complete: its events have reached their final states and none
    /// holds a place, or a deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        let now = Instant::now();
        let Some(first) = self.waiters.shutdowns.first() else {
            return false;
        };
        (self.pipeline.queue.held() == 0 && first.report().pending == 0)
            || self
                .waiters
                .shutdowns
                .iter()
                .any(|barrier| barrier.deadline <= now)
    }

    /// Moves the remaining events to the spool, or counts them as lost; then completes all waiters.
    pub(super) async fn end(&mut self, why: &'static str) {
        self.in_flight.clear();
        let pipeline = Arc::clone(&self.pipeline);
        let mut lost = Vec::new();
        let mut spool_takes = pipeline.spool.is_some();
        for event in self.left() {
            if spool_takes {
                spool_takes = spill(&pipeline, &event).await;
            }
            if !spool_takes {
                lost.push(event);
            }
        }
        if let Some(spool) = &pipeline.spool {
            let unwritten = spool.close_and_drain().await;
            let count = unwritten.len() as u64;
            pipeline.counters.spool_finished.add(count);
            self.progress.finished_spooled += count;
            lost.extend(unwritten);
        }
        let count = lost.len() as u64;
        pipeline.counters.lost.add(count);
        pipeline.health_tracker.set_oldest(None);
        let shutdown = self.waiters.shutdowns.first();
        let report = Report {
            lost: count,
            pending: 0,
            spooled: pipeline
                .counters
                .appended()
                .saturating_sub(self.progress.finished_spooled),
            ..shutdown.map(FlushBarrier::report).unwrap_or_default()
        };
        self.complete_all(*pipeline.dispatcher.final_report.get_or_init(|| report));
        #[cfg(feature = "metrics")]
        pipeline.publish_metrics();
        if count > 0 {
            tracing::error!(
                lost = count,
                "audit events were still pending and are lost, since {why}; give shutdown more time, or the recorder a spool, \
                 and find out why the sink is slow"
            );
        }
        for event in lost {
            pipeline.call_hook(&DeadLetter::new(event, Fault::lost(why)));
        }
    }

    /// Returns the events that are in memory and nowhere else.
    fn left(&mut self) -> Vec<Event> {
        self.release_all();
        let queue = &self.pipeline.queue;
        let mut left = Vec::new();
        for (_, open) in std::mem::take(&mut self.pending) {
            // An event from the spool is still there.
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

    fn complete_all(&mut self, report: Report) {
        for barrier in self
            .waiters
            .shutdowns
            .drain(..)
            .chain(self.waiters.flushes.drain(..))
        {
            barrier.complete(report);
        }
        // Commands that arrive before the channel is closed get the same report.
        self.commands.close();
        while let Ok(Command::Flush { reply, .. } | Command::Shutdown { reply, .. }) =
            self.commands.try_recv()
        {
            let _ = reply.send(report);
        }
    }
}

/// Appends an event to the spool, which may have to write first; returns whether it accepted it.
async fn spill(pipeline: &Pipeline, event: &Event) -> bool {
    if pipeline.spill(event) {
        return true;
    }
    match &pipeline.spool {
        Some(spool) => spool.wait_for_appends().await.is_ok() && pipeline.spill(event),
        None => false,
    }
}
