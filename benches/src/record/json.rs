//! `tracing`: an event with its data as fields, as JSON to a non-blocking writer.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tracing::dispatcher::{DefaultGuard, Dispatch};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use super::contender::{Consumer, Contender, wait_for};
use crate::Result;
use crate::counting_sink::ConsumedCount;
use crate::event_data::{ACTION, EventData, PAGES, TARGET_TYPE};

pub(super) struct TracingJson {
    data: EventData,
    dispatch: Dispatch,
    /// Makes the subscriber this thread's default while a batch is made.
    default: Option<DefaultGuard>,
    /// Blocks the writer's thread for [`Consumer::Idle`].
    gate: Option<Arc<Gate>>,
    consumed: ConsumedCount,
    emitted: u64,
    _worker: WorkerGuard,
}

/// Discards lines and counts them.
struct Lines {
    consumed: ConsumedCount,
    gate: Option<Arc<Gate>>,
}

#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    /// The number of arrivals, before any wait.
    arrivals: ConsumedCount,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.opened.notify_all();
    }

    fn pass(&self) {
        self.arrivals.add(1);
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let _open = self.opened.wait_while(closed, |closed| *closed);
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.consumed.add(1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TracingJson {
    pub(super) fn new(data: EventData, consumer: Consumer) -> Self {
        let consumed = ConsumedCount::default();
        let gate = (consumer == Consumer::Idle).then(Arc::<Gate>::default);
        let lines = Lines {
            consumed: consumed.clone(),
            gate: gate.clone(),
        };
        let (writer, worker) = NonBlockingBuilder::default().finish(lines);
        let subscriber = tracing_subscriber::fmt().json().with_writer(writer);
        Self {
            data,
            dispatch: Dispatch::new(subscriber.finish()),
            default: None,
            gate,
            consumed,
            emitted: 0,
            _worker: worker,
        }
    }
}

impl Contender for TracingJson {
    fn label(&self) -> &'static str {
        "tracing, JSON, non-blocking writer"
    }

    fn begin(&mut self, _: u64) -> Result<()> {
        self.default = Some(tracing::dispatcher::set_default(&self.dispatch));
        if let Some(gate) = self.gate.clone() {
            // One event brings the writer's thread to the closed gate, where it blocks.
            gate.set(true);
            let before = gate.arrivals.get();
            self.emit(1);
            wait_for(&gate.arrivals, before + 1, self.label())?;
        }
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        let data = &self.data;
        for id in 0..events {
            tracing::info!(
                action = ACTION,
                organization = data.organization,
                actor_id = data.actor_id,
                actor_name = data.actor_name,
                target_type = TARGET_TYPE,
                target_id = id,
                target_name = data.target_name,
                location = data.location,
                user_agent = data.user_agent,
                reason = data.reason,
                pages = PAGES,
                outcome = "succeeded",
            );
        }
        self.emitted += events;
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(gate) = &self.gate {
            gate.set(false);
        }
        self.default = None;
        wait_for(&self.consumed, self.emitted, self.label())
    }

    fn consumed(&self) -> &ConsumedCount {
        &self.consumed
    }
}
