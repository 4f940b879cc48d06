//! The parts of the dispatcher's state, and what it is built from.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::delivery::coalesce::Coalescer;
use crate::delivery::durable_appends::Refused;
use crate::delivery::flush_barrier::{FinalState, FlushBarrier, Origin, Report};
use crate::delivery::pipeline::Pipeline;
use crate::sink::{DynSink, Fault};

/// A command of the recorder, sent on a channel of its own.
///
/// The deadline is a moment, since the dispatcher may be held up before it receives the command.
#[derive(Debug)]
pub(crate) enum Command {
    Flush {
        deadline: Instant,
        reply: oneshot::Sender<Report>,
    },
    Shutdown {
        deadline: Instant,
        reply: oneshot::Sender<Report>,
    },
}

/// The arguments of [`Dispatcher::new`](super::Dispatcher::new).
pub(crate) struct Setup {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) sink: Arc<dyn DynSink>,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// The most attempts that may be in flight at once.
    pub(crate) concurrency: usize,
    /// The longest time that one attempt may take.
    pub(crate) attempt_timeout: Duration,
    /// The actions that the sink is asked about at the start; none unless the catalog is verified.
    pub(crate) actions_to_verify: Vec<&'static str>,
    pub(crate) coalescer: Coalescer,
    /// Dropped with the dispatcher, after its sink.
    pub(crate) ended: watch::Sender<()>,
}

/// Counts of the events that passed through the dispatcher.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The sequence number of the next event, whatever its origin.
    pub(super) next_sequence: u64,
    /// Events of earlier processes that were read from the spool.
    pub(super) recovered: u64,
    /// Events taken from the queue.
    pub(super) from_queue: u64,
    /// Events that reached a final state.
    pub(super) finished: u64,
    /// Those of them that this process had given to the spool.
    pub(super) finished_spooled: u64,
}

/// The flushes and shutdowns that wait for events.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    pub(super) flushes: Vec<FlushBarrier>,
    pub(super) shutdowns: Vec<FlushBarrier>,
    /// The earliest deadline of the shutdowns.
    pub(super) end_by: Option<Instant>,
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.flushes.is_empty() && self.shutdowns.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &FlushBarrier> {
        self.flushes.iter().chain(&self.shutdowns)
    }

    /// Records the final state of one event.
    pub(super) fn record(&mut self, origin: Origin, state: FinalState) {
        for barrier in self.iter_mut() {
            barrier.record(origin, state);
        }
    }

    /// Records that events of this process will never reach a final state.
    pub(super) fn record_missing(&mut self, events: u64) {
        for barrier in self.iter_mut() {
            barrier.record_missing(events);
        }
    }

    /// Records that the disk refused durable events, which their callers have back.
    pub(super) fn record_refused(&mut self, refused: &Refused) {
        for (epoch, events) in refused {
            for barrier in self.iter_mut() {
                barrier.record_refused(*epoch, *events);
            }
        }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut FlushBarrier> {
        self.flushes.iter_mut().chain(&mut self.shutdowns)
    }
}

/// The start of the period over which the rate of deliveries is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateSample {
    pub(super) since: Instant,
    /// Events that had reached a final state by then.
    pub(super) finished: u64,
}

/// The request to the sink for the actions of the catalog that it does not know.
pub(super) struct CatalogCheck {
    /// Empty once the sink has answered.
    pub(super) actions: Vec<&'static str>,
    pub(super) running: Option<BoxFuture<'static, Result<Vec<&'static str>, Fault>>>,
}
