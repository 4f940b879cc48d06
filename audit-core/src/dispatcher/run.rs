//! The dispatcher's loop.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::decide::{Decision, decide};
use super::fence::{Fence, Report};
use crate::Event;
use crate::recorder::{GUARD_DEADLINE, Shared};
use crate::sink::{Delivery, DynSink, Fault};

/// How many attempts are in flight at once.
const CONCURRENCY: usize = 16;
/// While there is traffic, the queue is looked at this often, so that nobody has to wake the dispatcher.
const LINGER: Duration = Duration::from_millis(5);
/// After this long without an event the dispatcher asks to be woken.
const SILENCE: Duration = Duration::from_secs(1);

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

type Attempt = Pin<Box<dyn Future<Output = (u64, Delivery)> + Send>>;

/// An event that was fetched from the queue and has not come to its end.
#[derive(Debug)]
struct Open {
    event: Arc<Event>,
    attempts: u32,
}

pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    sink: Arc<dyn DynSink>,
    commands: mpsc::Receiver<Command>,
    /// Events fetched so far; the number of the next.
    fetched: u64,
    open: HashMap<u64, Open>,
    in_flight: FuturesUnordered<Attempt>,
    /// Events between two attempts, by when the next is due.
    parked: BTreeSet<(Instant, u64)>,
    /// Until when nothing is sent.
    paused: Option<Instant>,
    /// After a pause one event goes alone, until an attempt shows that the sink takes events again.
    probing: bool,
    fences: Vec<Fence>,
    shutdowns: Vec<Fence>,
    last_fetch: Instant,
    /// Whether the last handle is gone.
    orphaned: bool,
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sink: Arc<dyn DynSink>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            shared,
            sink,
            commands,
            fetched: 0,
            open: HashMap::new(),
            in_flight: FuturesUnordered::new(),
            parked: BTreeSet::new(),
            paused: None,
            probing: false,
            fences: Vec::new(),
            shutdowns: Vec::new(),
            last_fetch: Instant::now(),
            orphaned: false,
        }
    }

    /// Delivers until a shutdown is asked for, and every event has come to an end or the deadline has.
    pub(crate) async fn run(mut self) {
        loop {
            self.start_attempts();
            self.answer_fences();
            if self.is_over() {
                return self.end();
            }
            self.wait().await;
        }
    }

    /// Waits until there is something to do: a command, an attempt's end, a moment, an event.
    async fn wait(&mut self) {
        let has_room = self.in_flight.len() < self.concurrency() && self.paused.is_none();
        let asleep = has_room
            && self.last_fetch.elapsed() >= SILENCE
            && self.shutdowns.is_empty()
            && self.shared.queue.fall_asleep();
        let tick = (has_room && !asleep).then(|| Instant::now() + LINGER);
        let due = if has_room {
            self.parked.first().map(|(due, _)| *due)
        } else {
            None
        };
        let deadlines = self
            .fences
            .iter()
            .chain(&self.shutdowns)
            .map(|fence| fence.deadline);
        let moment = deadlines.chain(tick).chain(due).chain(self.paused).min();

        let timer = async {
            match moment {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = self.commands.recv(), if !self.orphaned => match command {
                Some(command) => self.obey(command),
                None => self.orphan(),
            },
            Some((number, delivery)) = self.in_flight.next() => self.ended(number, delivery),
            () = self.shared.queue.woken(), if asleep => {}
            () = timer => {}
        }
        if self.paused.is_some_and(|until| until <= Instant::now()) {
            self.paused = None;
        }
    }

    fn concurrency(&self) -> usize {
        if self.probing { 1 } else { CONCURRENCY }
    }

    fn start_attempts(&mut self) {
        while self.paused.is_none() && self.in_flight.len() < self.concurrency() {
            let Some(number) = self.next() else { return };
            let Some(open) = self.open.get_mut(&number) else {
                continue;
            };
            open.attempts = open.attempts.saturating_add(1);
            let (sink, event) = (Arc::clone(&self.sink), Arc::clone(&open.event));
            self.in_flight.push(Box::pin(async move {
                let attempt = AssertUnwindSafe(async { sink.deliver(&event).await }).catch_unwind();
                (
                    number,
                    attempt
                        .await
                        .unwrap_or_else(|_panic| Err(Fault::panicked())),
                )
            }));
        }
    }

    /// The number of the event to send now: a parked one whose moment has come, else the next in the queue.
    fn next(&mut self) -> Option<u64> {
        if let Some((due, number)) = self.parked.first().copied()
            && due <= Instant::now()
        {
            self.parked.pop_first();
            return Some(number);
        }
        let event = self.shared.queue.pop()?;
        let number = self.fetched;
        self.fetched += 1;
        self.last_fetch = Instant::now();
        self.open.insert(
            number,
            Open {
                event: Arc::new(event),
                attempts: 0,
            },
        );
        Some(number)
    }

    fn ended(&mut self, number: u64, delivery: Delivery) {
        let Some(open) = self.open.get(&number) else {
            return;
        };
        let counters = &self.shared.counters;
        let now = Instant::now();
        match decide(delivery.as_ref().copied(), open.attempts, fastrand::f64()) {
            Decision::Delivered => {
                self.probing = false;
                counters.delivered.add(1);
                self.close(number, None);
            }
            Decision::DeadLetter => {
                self.probing = false;
                counters.dead.add(1);
                self.close(number, delivery.err());
            }
            Decision::Retry(wait) => {
                counters.retried.add(1);
                self.shared.log_fault(&open.event, delivery.as_ref().err());
                self.parked.insert((now + wait, number));
            }
            Decision::Pause(wait) => {
                counters.retried.add(1);
                self.shared.log_fault(&open.event, delivery.as_ref().err());
                let until = now + wait;
                self.paused = Some(self.paused.map_or(until, |paused| paused.max(until)));
                self.probing = true;
                self.parked.insert((until, number));
            }
        }
    }

    /// An event came to its end: delivered, or with a fault a dead letter.
    fn close(&mut self, number: u64, fault: Option<Fault>) {
        let Some(open) = self.open.remove(&number) else {
            return;
        };
        let size = open.event.size();
        let delivered = fault.is_none();
        if let Some(fault) = fault {
            self.shared.log_dead_letter(&open.event, &fault);
            let event = Arc::try_unwrap(open.event).unwrap_or_else(|event| Event::clone(&event));
            self.shared.dead_letters.keep(event, fault);
        }
        self.shared.queue.release(size);
        for fence in self.fences.iter_mut().chain(&mut self.shutdowns) {
            fence.ended(number, delivered);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { deadline, reply } => {
                let fence = self.fence(deadline, reply);
                self.fences.push(fence);
            }
            Command::Shutdown { deadline, reply } => {
                // From here on nothing gets in, so the events that hold places are all there will be.
                self.shared.queue.close();
                let fence = self.fence(deadline, reply);
                self.shutdowns.push(fence);
            }
        }
    }

    /// The last handle is gone: nobody can ask for a shutdown any more, so this is one.
    fn orphan(&mut self) {
        self.orphaned = true;
        let (reply, _nobody) = oneshot::channel();
        self.obey(Command::Shutdown {
            deadline: GUARD_DEADLINE,
            reply,
        });
    }

    /// A fence over everything accepted so far: what is open, and what waits in the queue, which is first in, first out.
    fn fence(&self, deadline: Duration, reply: oneshot::Sender<Report>) -> Fence {
        let waiting = self.shared.queue.waiting() as u64;
        let now = Instant::now();
        // A deadline beyond the clock's range is as good as none.
        let deadline = now
            .checked_add(deadline)
            .unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600));
        Fence::new(
            self.fetched + waiting,
            self.open.len() as u64 + waiting,
            deadline,
            reply,
        )
    }

    fn answer_fences(&mut self) {
        let now = Instant::now();
        for fence in self.fences.extract_if(.., |fence| fence.is_due(now)) {
            let report = fence.report();
            fence.answer(report);
        }
    }

    /// Whether a shutdown has nothing left to wait for: no event holds a place, or a deadline has come.
    fn is_over(&self) -> bool {
        let now = Instant::now();
        !self.shutdowns.is_empty()
            && (self.shared.queue.held() == 0
                || self.shutdowns.iter().any(|fence| fence.deadline <= now))
    }

    /// Counts what is left as lost, and answers everybody who waits.
    fn end(mut self) {
        self.in_flight.clear();
        let mut lost = self.open.len() as u64;
        for (_, open) in self.open.drain() {
            self.shared.queue.release(open.event.size());
        }
        // A push that saw the queue open just before it was closed may still be on its way in.
        while self.shared.queue.held() > 0 {
            match self.shared.queue.pop() {
                Some(event) => {
                    lost += 1;
                    self.shared.queue.release(event.size());
                }
                None => std::thread::yield_now(),
            }
        }
        self.shared.counters.lost.add(lost);
        if lost > 0 {
            tracing::error!(
                lost,
                "audit events were still pending when the shutdown's deadline came, and are lost; \
                 give shutdown more time, and find out why the sink is slow"
            );
        }
        let mut report = self
            .shutdowns
            .first()
            .map(Fence::report)
            .unwrap_or_default();
        (report.lost, report.pending) = (lost, 0);
        let report = *self.shared.final_report.get_or_init(|| report);
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
