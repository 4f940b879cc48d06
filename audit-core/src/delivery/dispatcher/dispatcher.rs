//! The dispatcher: its state and its loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::parts::{CatalogCheck, Command, Progress, RateSample, Setup, Waiters};
use crate::delivery::attribution::Attribution;
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::coalesce::Coalescer;
use crate::delivery::decide::SHORTEST_PAUSE;
use crate::delivery::disk::SpooledEvent;
use crate::delivery::flush_barrier::{FinalState, Origin};
use crate::delivery::loader::Loader;
use crate::delivery::pending_event::{Attempt, PendingEvent};
use crate::delivery::pipeline::Pipeline;
use crate::delivery::ready_queue::ReadyQueue;
use crate::delivery::retry_budget::RetryBudget;
use crate::event::Event;
use crate::sink::DynSink;
use crate::telemetry::SinkState;

/// The interval of polling the queue while there is traffic, so that a push need not wake the
/// dispatcher.
const LINGER: Duration = Duration::from_millis(5);
/// The time without an event after which the dispatcher requests a wake-up.
const SILENCE: Duration = Duration::from_secs(1);

/// The task that owns delivery.
pub(crate) struct Dispatcher {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) sink: Arc<dyn DynSink>,
    pub(super) loader: Option<Loader>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// Set when the last handle is gone, after which no command can come.
    pub(super) all_handles_dropped: bool,
    /// The events in memory that have not reached a final state, by sequence number. A panic leaves
    /// it complete, and everything else is rebuilt from it.
    pub(super) pending: BTreeMap<u64, PendingEvent>,
    pub(super) progress: Progress,
    pub(super) coalescer: Coalescer,
    pub(super) ready: ReadyQueue,
    pub(super) in_flight: FuturesUnordered<Attempt>,
    pub(super) breaker: CircuitBreaker,
    pub(super) attribution: Attribution,
    /// An event of the spool that can probe the sink.
    pub(super) scout: Option<SpooledEvent>,
    /// The longest time that one attempt may take.
    pub(super) attempt_timeout: Duration,
    /// The last time that the queue was searched for events that make room.
    pub(super) room_made_at: Instant,
    pub(super) retry_budget: RetryBudget,
    /// The time at which the rate limit, or the retry budget, permits the next attempt.
    pub(super) next_permit_at: Option<Instant>,
    pub(super) waiters: Waiters,
    pub(super) last_fetch: Instant,
    pub(super) rate_sample: RateSample,
    pub(super) health_at: Instant,
    /// The dead letters of the spool that had been dropped for newer ones.
    pub(super) dead_dropped: Option<u64>,
    /// The state of the sink that was last published to health.
    pub(super) published_state: SinkState,
    pub(super) catalog_check: CatalogCheck,
    /// Set after a restart, until an event reaches a final state.
    pub(super) recovering: bool,
    #[cfg(feature = "metrics")]
    pub(super) publish_at: Instant,
    #[cfg(test)]
    pub(crate) sabotage: Arc<std::sync::atomic::AtomicU32>,
    /// Dropped last, after the sink: notifies callers of a shutdown that the dispatcher is gone.
    _ended: watch::Sender<()>,
}

impl Dispatcher {
    pub(crate) fn new(setup: Setup) -> Self {
        let now = Instant::now();
        Self {
            loader: setup.pipeline.spool.clone().map(Loader::new),
            pipeline: setup.pipeline,
            sink: setup.sink,
            commands: setup.commands,
            all_handles_dropped: false,
            pending: BTreeMap::new(),
            progress: Progress::default(),
            coalescer: setup.coalescer,
            ready: ReadyQueue::default(),
            in_flight: FuturesUnordered::new(),
            breaker: CircuitBreaker::new(setup.concurrency),
            attribution: Attribution::default(),
            scout: None,
            attempt_timeout: setup.attempt_timeout,
            room_made_at: now,
            retry_budget: RetryBudget::new(),
            next_permit_at: None,
            waiters: Waiters::default(),
            last_fetch: now,
            rate_sample: RateSample {
                since: now,
                finished: 0,
            },
            health_at: now,
            dead_dropped: None,
            published_state: SinkState::Healthy,
            catalog_check: CatalogCheck {
                actions: setup.actions_to_verify,
                running: None,
            },
            recovering: false,
            #[cfg(feature = "metrics")]
            publish_at: now,
            #[cfg(test)]
            sabotage: Arc::default(),
            _ended: setup.ended,
        }
    }

    /// Delivers until a shutdown is requested, and every event has reached a final state or the
    /// deadline has passed.
    ///
    /// A panic leaves a state that [`Dispatcher::recover`] repairs.
    pub(crate) async fn run(&mut self) {
        let pipeline = Arc::clone(&self.pipeline);
        let mut work = std::pin::pin!(self.work());
        // Health reports a sink or a hook that blocks the thread.
        std::future::poll_fn(|context| {
            pipeline.health_tracker.set_busy(true);
            let polled = work.as_mut().poll(context);
            pipeline.health_tracker.set_busy(false);
            polled
        })
        .await;
    }

    async fn work(&mut self) {
        self.verify(Duration::ZERO);
        loop {
            self.fetch();
            self.start_attempts();
            self.complete_flushes();
            self.publish_health();
            #[cfg(test)]
            self.maybe_panic();
            if self.is_over() {
                return self.end("the shutdown's deadline came first").await;
            }
            self.wait().await;
        }
    }

    pub(in crate::delivery) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Returns the number of finished events.
    pub(in crate::delivery) fn finished(&self) -> u64 {
        self.progress.finished
    }

    /// Rebuilds the state after a panic: every pending event returns to the ready queue, in order.
    pub(in crate::delivery) fn recover(&mut self, restarts: u32) {
        self.in_flight.clear();
        self.catalog_check.running = None;
        if let Some(loader) = &mut self.loader {
            loader.recover();
        }
        self.ready.clear();
        self.pending.retain(|_, open| open.scout_row.is_none());
        for (number, open) in &mut self.pending {
            open.is_in_flight = false;
            self.ready.add(open, *number);
        }
        self.recovering = true;
        self.pipeline.health_tracker.set_restarts(restarts);
    }

    /// Stops for good: pending events are lost, and no more are accepted.
    pub(in crate::delivery) fn give_up(&mut self) {
        self.pipeline.health_tracker.mark_stopped();
        self.pipeline.queue.close_for_good();
        pollster::block_on(self.end("the dispatcher panicked too often"));
    }

    /// Waits for the next command, result, time or event.
    async fn wait(&mut self) {
        let asleep = self.last_fetch.elapsed() >= SILENCE
            && self.waiters.shutdowns.is_empty()
            && self.pipeline.gaps.is_empty()
            && self.is_spool_at_end()
            && self.pipeline.queue.fall_asleep();
        let tick = (!asleep).then(|| Instant::now() + LINGER);
        // While the breaker is open, or at its limit, no other time permits an attempt.
        let attempt = match self.breaker.paused() {
            Some(until) => Some(until),
            None if !self.breaker.admits(self.in_flight.len()) => None,
            None => self.next_permit_at.or_else(|| self.ready.due()),
        };
        let parked = self.loader.as_ref().and_then(Loader::next_due);
        let deadlines = self.waiters.iter().map(|barrier| barrier.deadline);
        let window = self.coalescer.due();
        let moment = deadlines
            .chain(tick)
            .chain(attempt)
            .chain(window)
            .chain(parked)
            .min();
        #[cfg(feature = "metrics")]
        let moment = moment.into_iter().chain([self.publish_at]).min();

        let timer = async {
            match moment {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        let verified = async {
            match &mut self.catalog_check.running {
                Some(verifying) => verifying.await,
                None => std::future::pending().await,
            }
        };
        let loaded = async {
            match &mut self.loader {
                Some(loader) => loader.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = self.commands.recv(), if !self.all_handles_dropped => match command {
                Some(command) => self.on_command(command),
                None => self.on_all_handles_dropped(),
            },
            Some((number, delivery)) = self.in_flight.next() => self.on_attempt_finished(number, delivery),
            page = loaded => self.on_page_loaded(page),
            answer = verified => self.on_catalog_verified(answer),
            () = self.pipeline.queue.woken() => {}
            () = timer => {}
        }
        self.breaker.end_pause(Instant::now());
    }

    /// Moves waiting events from the queue to the ready queue.
    fn fetch(&mut self) {
        self.pipeline.report_gaps();
        let now = Instant::now();
        while let Some(event) = self.pipeline.queue.pop() {
            let open = PendingEvent::new(event, self.progress.from_queue, now);
            self.progress.from_queue += 1;
            self.take_or_coalesce(open, now);
        }
        self.release_held(now);
        self.make_room(now);
        let unread = self.unread();
        let appended = self.pipeline.counters.appended();
        if let Some(loader) = &mut self.loader {
            loader.begin(now, unread, appended);
        }
    }

    /// Returns the number of events on the spool that are not in memory.
    pub(super) fn unread(&self) -> u64 {
        let open = self
            .loader
            .as_ref()
            .map_or(0, |loader| loader.in_memory().total);
        self.pipeline.counters.spooled().saturating_sub(open)
    }

    pub(super) fn take(&mut self, open: PendingEvent, now: Instant) -> u64 {
        self.last_fetch = now;
        if self.breaker.paused().is_some() && self.attribution.is_promising(&open.event) {
            self.breaker.probe_earlier(SHORTEST_PAUSE);
        }
        let number = self.insert(open);
        if let Some(open) = self.pending.get(&number) {
            self.ready.add(open, number);
        }
        number
    }

    pub(super) fn insert(&mut self, open: PendingEvent) -> u64 {
        let number = self.progress.next_sequence;
        self.progress.next_sequence += 1;
        self.pending.insert(number, open);
        number
    }

    /// Finishes an event, and releases what it held before any waiter is notified.
    pub(super) fn close(&mut self, number: u64, end: FinalState) -> Option<Event> {
        let open = self.pending.remove(&number)?;
        self.progress.finished += 1;
        if std::mem::take(&mut self.recovering) {
            // It works again.
            self.pipeline.health_tracker.set_restarts(0);
        }
        if let Some(size) = open.size {
            self.pipeline.queue.release(size);
        }
        if let (Some(row), Some(loader)) = (open.row, &mut self.loader) {
            loader.release(open.origin, open.was_parked);
            self.pipeline.counters.spool_finished.add(1);
            self.progress.finished_spooled += u64::from(matches!(open.origin, Origin::Spool(..)));
            if end == FinalState::Delivered {
                loader.spool.acknowledge(row, open.event.id());
            }
        }
        self.waiters.record(open.origin, end);
        Some(open.into_event())
    }

    #[cfg(test)]
    fn maybe_panic(&self) {
        use std::sync::atomic::Ordering::SeqCst;
        let left = |left: u32| left.checked_sub(1);
        if self.sabotage.fetch_update(SeqCst, SeqCst, left).is_ok() {
            panic!("on purpose");
        }
    }
}
