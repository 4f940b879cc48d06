//! The dispatcher's loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::delivery::attempt::{Attempt, Open};
use crate::delivery::backlog::Backlog;
use crate::delivery::budget::Budget;
use crate::delivery::coalesce::Coalescer;
use crate::delivery::disk::Spool;
use crate::delivery::fence::{End, Fence, Place, Report};
use crate::delivery::lane::Lane;
use crate::delivery::loader::{Loaded, Loader};
use crate::delivery::shared::Shared;
use crate::event::Event;
use crate::sink::{DynSink, Fault};
use crate::telemetry::LaneState;

/// While there is traffic, the queue is looked at this often, so that nobody has to wake the
/// dispatcher.
const LINGER: Duration = Duration::from_millis(5);
/// After this long without an event the dispatcher asks to be woken.
const SILENCE: Duration = Duration::from_secs(1);
/// The rate of deliveries is taken over this long at least.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// What the recorder asks of the dispatcher, on a lane of its own.
#[derive(Debug)]
pub(crate) enum Command {
    Flush {
        deadline: Duration,
        reply: oneshot::Sender<Report>,
    },
    Shutdown {
        deadline: Duration,
        reply: oneshot::Sender<Report>,
    },
}

pub(crate) struct Dispatcher {
    pub(super) shared: Arc<Shared>,
    pub(super) sink: Arc<dyn DynSink>,
    pub(super) loader: Option<Loader>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// Events fetched so far from wherever; the number of the next.
    pub(super) numbered: u64,
    /// Those of them that came from the queue.
    pub(super) fetched: u64,
    /// Events that came to their end.
    pub(super) ended: u64,
    /// Those of them that this process had given to the spool.
    pub(super) ended_spooled: u64,
    pub(super) open: BTreeMap<u64, Open>,
    pub(super) coalescer: Coalescer,
    pub(super) backlog: Backlog,
    pub(super) in_flight: FuturesUnordered<Attempt>,
    pub(super) lane: Lane,
    pub(super) budget: Budget,
    /// When the pace, or the budget of repetitions, gives leave for the next attempt.
    pub(super) leave: Option<Instant>,
    pub(super) fences: Vec<Fence>,
    pub(super) shutdowns: Vec<Fence>,
    pub(super) last_fetch: Instant,
    /// Since when, and from how many ended events on, the rate is taken.
    pub(super) rate_since: (Instant, u64),
    /// What health was last told of the lane.
    pub(super) told: LaneState,
    /// The actions whose names the sink is asked about, until it has answered.
    pub(super) actions: Vec<&'static str>,
    pub(super) verifying: Option<BoxFuture<'static, Result<Vec<&'static str>, Fault>>>,
    /// Whether it was started again after a panic, and no event has come to its end since.
    pub(super) restarted: bool,
    /// Whether the last handle is gone.
    pub(super) orphaned: bool,
    #[cfg(feature = "metrics")]
    pub(super) publish_at: Instant,
    #[cfg(test)]
    pub(crate) sabotage: Arc<std::sync::atomic::AtomicU32>,
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sink: Arc<dyn DynSink>,
        spool: Option<Spool>,
        commands: mpsc::Receiver<Command>,
        concurrency: usize,
        actions: Vec<&'static str>,
        coalescer: Coalescer,
    ) -> Self {
        let now = Instant::now();
        Self {
            shared,
            sink,
            loader: spool.map(Loader::new),
            commands,
            numbered: 0,
            fetched: 0,
            ended: 0,
            ended_spooled: 0,
            open: BTreeMap::new(),
            coalescer,
            backlog: Backlog::default(),
            in_flight: FuturesUnordered::new(),
            lane: Lane::new(concurrency),
            budget: Budget::new(),
            leave: None,
            fences: Vec::new(),
            shutdowns: Vec::new(),
            last_fetch: now,
            rate_since: (now, 0),
            told: LaneState::Open,
            actions,
            verifying: None,
            restarted: false,
            orphaned: false,
            #[cfg(feature = "metrics")]
            publish_at: now,
            #[cfg(test)]
            sabotage: Arc::default(),
        }
    }

    /// Delivers until a shutdown is asked for, and every event has come to an end or the deadline
    /// has.
    ///
    /// A panic leaves it in a state that [`Dispatcher::recover`] mends.
    pub(crate) async fn run(&mut self) {
        self.verify(Duration::ZERO);
        loop {
            self.fetch();
            self.start_attempts();
            self.answer_fences();
            self.tell_condition();
            #[cfg(test)]
            self.maybe_panic();
            if self.is_over() {
                return self.end("the shutdown's deadline came first").await;
            }
            self.wait().await;
        }
    }

    pub(in crate::delivery) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// How many events came to their end.
    pub(in crate::delivery) fn ended(&self) -> u64 {
        self.ended
    }

    /// After a panic: every open event goes back into its line, in its order.
    pub(in crate::delivery) fn recover(&mut self, restarts: u32) {
        self.in_flight.clear();
        self.verifying = None;
        if let Some(loader) = &mut self.loader {
            loader.recover();
        }
        self.backlog.clear();
        for (number, open) in &self.open {
            self.backlog.add(open, *number);
        }
        self.restarted = true;
        self.shared.condition.restarts(restarts);
    }

    /// Nobody will deliver any more: what is open is lost, and nothing more is accepted.
    pub(in crate::delivery) fn give_up(&mut self) {
        self.shared.condition.gone();
        self.shared.queue.close_for_good();
        pollster::block_on(self.end("the dispatcher panicked too often"));
    }

    /// Waits until there is something to do: a command, an attempt's end, a moment, an event.
    async fn wait(&mut self) {
        let asleep = self.last_fetch.elapsed() >= SILENCE
            && self.shutdowns.is_empty()
            && self.shared.gaps.is_empty()
            && self.unread() == 0
            && self.shared.queue.fall_asleep();
        let tick = (!asleep).then(|| Instant::now() + LINGER);
        // While the lane is closed, or full, no other moment lets an event go.
        let attempt = match self.lane.paused() {
            Some(until) => Some(until),
            None if !self.lane.admits(self.in_flight.len()) => None,
            None => self.leave.or_else(|| self.backlog.due()),
        };
        let deadlines = self
            .fences
            .iter()
            .chain(&self.shutdowns)
            .map(|fence| fence.deadline);
        let window = self.coalescer.due();
        let moment = deadlines.chain(tick).chain(attempt).chain(window).min();
        #[cfg(feature = "metrics")]
        let moment = moment.into_iter().chain([self.publish_at]).min();

        let timer = async {
            match moment {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        let verified = async {
            match &mut self.verifying {
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
            command = self.commands.recv(), if !self.orphaned => match command {
                Some(command) => self.obey(command),
                None => self.orphan(),
            },
            Some((number, delivery)) = self.in_flight.next() => self.attempted(number, delivery),
            page = loaded => self.loaded(page),
            answer = verified => self.verified(answer),
            () = self.shared.queue.woken() => {}
            () = timer => {}
        }
        self.lane.tick(Instant::now());
    }

    /// Takes what waits in the queue over into the backlog, where organizations take turns.
    fn fetch(&mut self) {
        self.shared.tell_gaps();
        let now = Instant::now();
        while let Some(event) = self.shared.queue.pop() {
            let open = Open::new(event, self.fetched, now);
            self.fetched += 1;
            self.take_or_hold(open, now);
        }
        self.release_held(now);
        let unread = self.unread();
        let given = self.shared.counters.given();
        if let Some(loader) = &mut self.loader {
            loader.begin(now, unread, given);
        }
    }

    /// Events on the spool that are not in memory.
    fn unread(&self) -> u64 {
        let open = self.loader.as_ref().map_or(0, |loader| loader.open().0);
        self.shared.counters.spooled().saturating_sub(open)
    }

    /// Events have come from the spool, or none is left there.
    fn loaded(&mut self, loaded: Loaded) {
        let now = Instant::now();
        match loaded {
            Loaded::Events(events) => {
                for (spooled, place) in events {
                    self.take(Open::spooled(spooled, place, now), now);
                }
            }
            Loaded::NoneLeft(given) => self.missed(given),
        }
    }

    /// The spool has no more events, and fewer came from it than were given to it: the file was
    /// damaged.
    pub(super) fn missed(&mut self, given: u64) {
        let missed = self.unread();
        // Another may have been given to it since it was asked, or was refused by it and is not
        // taken back yet.
        let unsettled = self.shared.counters.unsettled.get();
        if missed == 0 || unsettled > 0 || self.shared.counters.given() != given {
            return;
        }
        let on_disk = |open: &Open| open.row.map(|_| open.event.id());
        let in_memory = || self.open.values().filter_map(on_disk).collect();
        if let Some(loader) = &mut self.loader
            && loader.look_again(Instant::now(), in_memory())
        {
            return;
        }
        self.shared.counters.lost.add(missed);
        self.shared.counters.spool_out.add(missed);
        // Nobody waits for what an earlier process left.
        let open = self.loader.as_ref().map_or(0, |loader| loader.open().1);
        let own = missed.min(given.saturating_sub(self.ended_spooled + open));
        self.ended_spooled += own;
        for fence in self.fences.iter_mut().chain(&mut self.shutdowns) {
            fence.missed(own);
        }
        tracing::error!(
            lost = missed,
            "audit events could not be read from the spool, whose file was damaged, and are lost"
        );
    }

    pub(super) fn take(&mut self, open: Open, now: Instant) {
        let number = self.numbered;
        self.numbered += 1;
        self.last_fetch = now;
        self.backlog.add(&open, number);
        self.open.insert(number, open);
    }

    /// An event came to its end. What it held is free again before anybody hears of it.
    pub(super) fn close(&mut self, number: u64, end: End) -> Option<Event> {
        let open = self.open.remove(&number)?;
        self.ended += 1;
        if std::mem::take(&mut self.restarted) {
            // It works, whatever was before.
            self.shared.condition.restarts(0);
        }
        if let Some(size) = open.size {
            self.shared.queue.release(size);
        }
        if let (Some(row), Some(loader)) = (open.row, &mut self.loader) {
            loader.ended(open.place);
            self.shared.counters.spool_out.add(1);
            self.ended_spooled += u64::from(matches!(open.place, Place::Spool(..)));
            if end == End::Delivered {
                loader.spool.acknowledge(row, open.event.id());
            }
        }
        for fence in self.fences.iter_mut().chain(&mut self.shutdowns) {
            fence.ended(open.place, end);
        }
        Some(open.into_event())
    }

    pub(super) fn tell_lane(&mut self, lane: LaneState) {
        if self.told != lane {
            self.told = lane.clone();
            self.shared.condition.lane(lane);
        }
    }

    /// Tells health what it cannot see by itself.
    fn tell_condition(&mut self) {
        let now = Instant::now();
        #[cfg(feature = "metrics")]
        if self.publish_at <= now {
            self.publish_at = now + crate::metrics::EVERY;
            self.shared.publish_metrics();
        }
        let oldest = self.open.first_key_value();
        let waited = oldest.map(|(_, open)| now.saturating_duration_since(open.fetched_at));
        self.shared.condition.oldest(waited);
        let (since, ended) = self.rate_since;
        if now.saturating_duration_since(since) >= RATE_WINDOW {
            let passed = now.saturating_duration_since(since).as_secs_f64();
            if self.ended > ended {
                let rate = (self.ended - ended) as f64 / passed;
                self.shared.condition.rate(rate);
            }
            self.rate_since = (now, self.ended);
        }
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
