//! `tracing`: an event with the facts as fields, as JSON to a non-blocking writer.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tracing::dispatcher::{DefaultGuard, Dispatch};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use super::contender::{Consumer, Contender, wait_for};
use crate::Result;
use crate::facts::{ACTION, Facts, PAGES, TARGET_TYPE};
use crate::nowhere::Taken;

pub(super) struct TracingJson {
    facts: Facts,
    dispatch: Dispatch,
    /// While a batch is made, this thread's events go to the subscriber.
    default: Option<DefaultGuard>,
    /// What the writer's thread rests at, if it shall rest.
    gate: Option<Arc<Gate>>,
    taken: Taken,
    emitted: u64,
    _worker: WorkerGuard,
}

/// Takes lines and keeps nothing but their number.
struct Lines {
    taken: Taken,
    gate: Option<Arc<Gate>>,
}

#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    /// How often somebody came to the gate.
    came: Taken,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        self.opened.notify_all();
    }

    fn pass(&self) {
        self.came.add(1);
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let _open = self.opened.wait_while(closed, |closed| *closed);
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        self.taken.add(1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TracingJson {
    pub(super) fn new(facts: Facts, consumer: Consumer) -> Self {
        let taken = Taken::default();
        let gate = (consumer == Consumer::Idle).then(Arc::<Gate>::default);
        let lines = Lines {
            taken: taken.clone(),
            gate: gate.clone(),
        };
        let (writer, worker) = NonBlockingBuilder::default().finish(lines);
        let subscriber = tracing_subscriber::fmt().json().with_writer(writer);
        Self {
            facts,
            dispatch: Dispatch::new(subscriber.finish()),
            default: None,
            gate,
            taken,
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
            // One event leads the writer's thread to the closed gate, where it stays.
            gate.set(true);
            let came = gate.came.get();
            self.emit(1);
            wait_for(&gate.came, came + 1, self.label())?;
        }
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        let facts = &self.facts;
        for id in 0..events {
            tracing::info!(
                action = ACTION,
                organization = facts.organization,
                actor_id = facts.actor_id,
                actor_name = facts.actor_name,
                target_type = TARGET_TYPE,
                target_id = id,
                target_name = facts.target_name,
                location = facts.location,
                user_agent = facts.user_agent,
                reason = facts.reason,
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
        wait_for(&self.taken, self.emitted, self.label())
    }

    fn taken(&self) -> &Taken {
        &self.taken
    }
}
