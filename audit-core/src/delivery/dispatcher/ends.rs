//! Completion of flushes and shutdowns, and the end of the dispatcher.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use super::parts::Command;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::disk::Spool;
use crate::delivery::flush_barrier::{FlushBarrier, Origin, Report, Watermarks};
use crate::delivery::pending_event::PendingEvent;
use crate::delivery::pipeline::{GUARD_DEADLINE, Pipeline};
use crate::event::Event;
use crate::sink::Fault;

/// The time that the disk and the hook have at the end of a shutdown: the last part of its
/// deadline, and this long at least. The dispatcher waits longer for a disk that makes progress.
const WIND_DOWN: Duration = Duration::from_millis(500);
/// The largest part of a shutdown's deadline that is kept for the disk and the hook.
const WIND_DOWN_PART: u32 = 4;

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
                let end_by = self.waiters.end_by.map_or(deadline, |by| by.min(deadline));
                self.waiters.end_by = Some(end_by);
                let barrier = self.barrier(self.end_of_delivery(deadline), reply);
                self.waiters.shutdowns.push(barrier);
            }
        }
    }

    /// Shuts down, since no handle is left to request it.
    pub(super) fn on_all_handles_dropped(&mut self) {
        self.all_handles_dropped = true;
        let (reply, _nobody) = oneshot::channel();
        self.on_command(Command::Shutdown {
            deadline: Instant::now() + GUARD_DEADLINE,
            reply,
        });
    }

    /// Returns the moment at which delivery ends, so that the disk and the hook have the rest of
    /// the shutdown's time.
    fn end_of_delivery(&self, deadline: Instant) -> Instant {
        let pipeline = &self.pipeline;
        if pipeline.spool.is_none() && pipeline.on_dead_letter.is_none() {
            return deadline;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        deadline - WIND_DOWN.min(left / WIND_DOWN_PART)
    }

    /// Returns the moment until which the end may wait for the disk or call the hook.
    fn end_of_wind_down(&self) -> Instant {
        let at_least = Instant::now() + WIND_DOWN;
        self.waiters.end_by.map_or(at_least, |by| by.max(at_least))
    }

    /// Returns a barrier over everything that this process has accepted: pending events, those in
    /// the queue, and those on the spool.
    fn barrier(&mut self, deadline: Instant, reply: oneshot::Sender<Report>) -> FlushBarrier {
        let waiting = self.pipeline.queue.waiting() as u64;
        let counters = &self.pipeline.counters;
        let mark = self.pipeline.durable_appends.mark(counters);
        self.waiters.record_refused(&mark.refused);
        let before = Watermarks {
            queue: self.progress.from_queue + waiting,
            durable: mark.appended,
            best_effort: counters.appended_best_effort.get(),
        };
        let from_queue = |open: &&PendingEvent| matches!(open.origin, Origin::Queue(_));
        let open = self.pending.values().filter(from_queue).count() + self.coalescer.held();
        let spooled =
            (before.durable + before.best_effort).saturating_sub(self.progress.finished_spooled);
        let pending = open as u64 + waiting + spooled;
        FlushBarrier::new(before, mark.epoch, pending, deadline, reply)
    }

    pub(super) fn complete_flushes(&mut self) {
        let refused = self.pipeline.durable_appends.take_refused();
        self.waiters.record_refused(&refused);
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
        let end_by = self.end_of_wind_down();
        let mut lost = Vec::new();
        let mut spool_takes = pipeline.spool.is_some();
        let mut unknown = 0;
        // An event keeps its place until it is accounted for, since a caller whose deadline passes
        // meanwhile counts the places.
        let mut places = Vec::new();
        for Left {
            event,
            first_attempt,
            place,
        } in self.left()
        {
            if spool_takes {
                spool_takes = spill(&pipeline, &event, first_attempt, end_by).await;
            }
            if !spool_takes {
                places.push(place);
                lost.push(event);
            }
        }
        if let Some(spool) = &pipeline.spool {
            let closing = spool.clone();
            let mut closing = async move { closing.close_and_drain().await }.boxed();
            match while_writing(&pipeline, spool, end_by, &mut closing).await {
                Some(unwritten) => {
                    let count = unwritten.len() as u64;
                    pipeline.counters.spool_finished.add(count);
                    self.progress.finished_spooled += count;
                    lost.extend(unwritten);
                }
                // The spool's thread continues, and may write them.
                None => {
                    unknown = spool.unwritten();
                    count_unwritten_later(Arc::clone(&pipeline), closing);
                }
            }
        }
        let count = lost.len() as u64;
        pipeline.health_tracker.set_oldest(None);
        let shutdown = self.waiters.shutdowns.first();
        let report = Report {
            lost: count,
            pending: unknown,
            spooled: pipeline
                .counters
                .appended()
                .saturating_sub(self.progress.finished_spooled + unknown),
            ..shutdown.map(FlushBarrier::report).unwrap_or_default()
        };
        let report = *pipeline.dispatcher.final_report.get_or_init(|| report);
        pipeline.counters.lost.add(count);
        drop(places);
        self.complete_all(report);
        #[cfg(feature = "metrics")]
        pipeline.publish_metrics();
        if count > 0 {
            tracing::error!(
                lost = count,
                "audit events were still pending and are lost, since {why}; give shutdown more time, or the recorder a spool, \
                 and find out why the sink is slow"
            );
        }
        if unknown > 0 {
            tracing::error!(
                unknown,
                "the disk has not confirmed the last audit events by the deadline of the shutdown; they are written if it does so \
                 before the process ends"
            );
        }
        self.call_hook_for_lost(lost, why, self.end_of_wind_down());
    }

    /// Calls the hook for lost events as long as there is time, and counts the others.
    ///
    /// All waiters have their reports by now.
    fn call_hook_for_lost(&self, lost: Vec<Event>, why: &'static str, end_by: Instant) {
        call_hook_for_lost(&self.pipeline, lost, why, end_by);
    }

    /// Returns the events that are in memory and nowhere else, with their places.
    fn left(&mut self) -> Vec<Left> {
        self.release_all();
        let queue = &self.pipeline.queue;
        let place = |size| Place {
            pipeline: Arc::clone(&self.pipeline),
            size,
        };
        let mut left = Vec::new();
        for (_, open) in std::mem::take(&mut self.pending) {
            // An event from the spool is still there.
            if let Some(size) = open.size {
                left.push(Left {
                    first_attempt: open.first_attempt(Instant::now()),
                    event: open.into_event(),
                    place: place(size),
                });
            }
        }
        // A push that saw the queue open just before it was closed may still be on its way in.
        while queue.held() > left.len() {
            match queue.pop() {
                Some(event) => {
                    let place = place(event.size());
                    left.push(Left {
                        event,
                        first_attempt: None,
                        place,
                    });
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

/// An event that is in memory and nowhere else.
struct Left {
    event: Event,
    /// The time of its first attempt whose result is not known, in milliseconds since 1970.
    first_attempt: Option<u64>,
    place: Place,
}

/// The place of an event in the queue's bounds, released on drop.
struct Place {
    pipeline: Arc<Pipeline>,
    size: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pipeline.queue.release(self.size);
    }
}

/// Appends an event to the spool, which may have to write first; returns whether it accepted it.
async fn spill(
    pipeline: &Pipeline,
    event: &Event,
    first_attempt: Option<u64>,
    end_by: Instant,
) -> bool {
    if pipeline.spill_attempted(event, first_attempt) {
        return true;
    }
    match &pipeline.spool {
        Some(spool) => {
            let written = spool.wait_for_appends();
            let written = while_writing(pipeline, spool, end_by, written).await;
            written.is_some_and(|written| written.is_ok())
                && pipeline.spill_attempted(event, first_attempt)
        }
        None => false,
    }
}

/// Calls the hook for lost events until a moment, and counts the others.
fn call_hook_for_lost(pipeline: &Pipeline, lost: Vec<Event>, why: &'static str, end_by: Instant) {
    if pipeline.on_dead_letter.is_none() {
        return;
    }
    let mut lost = lost.into_iter();
    while Instant::now() < end_by
        && let Some(event) = lost.next()
    {
        pipeline.call_hook(&DeadLetter::new(event, Fault::lost(why)));
    }
    if lost.len() > 0 {
        tracing::error!(
            events = lost.len(),
            "the hook for dead letters took too long, and was not called for the last lost audit events; make it quicker, \
             or give shutdown more time"
        );
    }
}

/// Waits on a thread of its own for the end of the spool, and counts the events that the disk
/// refused after the deadline of the shutdown.
fn count_unwritten_later(pipeline: Arc<Pipeline>, closing: BoxFuture<'static, Vec<Event>>) {
    let wait = move || {
        let unwritten = pollster::block_on(closing);
        let count = unwritten.len() as u64;
        if count == 0 {
            return;
        }
        pipeline.counters.spool_finished.add(count);
        pipeline.counters.lost.add(count);
        tracing::error!(
            lost = count,
            "the disk refused audit events after the deadline of the shutdown, and they are lost"
        );
        let why = "the disk refused the event during the shutdown";
        call_hook_for_lost(&pipeline, unwritten, why, Instant::now() + WIND_DOWN);
    };
    let thread = std::thread::Builder::new().name("audit-spool-end".to_owned());
    if let Err(error) = thread.spawn(wait) {
        tracing::error!("audit events that the disk refuses from now on are not counted: {error}");
    }
}

/// Waits for the spool until a moment, and longer while the disk makes progress.
///
/// Callers keep their own deadlines, so this delays no report. An event that is not written here is
/// lost.
async fn while_writing<T>(
    pipeline: &Pipeline,
    spool: &Spool,
    mut end_by: Instant,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut unwritten = spool.unwritten();
    loop {
        let done = pipeline.timer.until(end_by, work.as_mut()).await;
        let left = spool.unwritten();
        if done.is_some() || left >= unwritten {
            return done;
        }
        unwritten = left;
        end_by = end_by.max(Instant::now() + WIND_DOWN);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    #[tokio::test(start_paused = true)]
    async fn fault_47_the_hook_is_called_for_lost_events_until_its_time_is_over() {
        let calls = Arc::new(AtomicU32::new(0));
        let called = Arc::clone(&calls);
        let builder = Recorder::builder(MemorySink::new()).on_dead_letter(move |_| {
            called.fetch_add(1, Ordering::Relaxed);
        });
        let (_recorder, dispatcher) = builder.assemble();
        let lost = || vec![Event::builder("document.delete").build().unwrap(); 3];
        let now = Instant::now();
        dispatcher.call_hook_for_lost(lost(), "the test", now);
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        dispatcher.call_hook_for_lost(lost(), "the test", now + WIND_DOWN);
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn delivery_ends_early_enough_for_the_hook() {
        let second = Duration::from_secs(1);
        let ends = |dispatcher: &Dispatcher, deadline| {
            let now = Instant::now();
            dispatcher.end_of_delivery(now + deadline) - now
        };
        let (_recorder, dispatcher) = Recorder::builder(MemorySink::new()).assemble();
        assert_eq!(ends(&dispatcher, second), second);
        let builder = Recorder::builder(MemorySink::new()).on_dead_letter(|_| {});
        let (_recorder, dispatcher) = builder.assemble();
        assert_eq!(ends(&dispatcher, second), second * 3 / 4);
        assert_eq!(ends(&dispatcher, 10 * second), 10 * second - WIND_DOWN);
        assert_eq!(ends(&dispatcher, Duration::ZERO), Duration::ZERO);
    }
}
