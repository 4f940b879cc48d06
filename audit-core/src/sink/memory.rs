//! A sink that keeps events in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::Fault;
use super::sink::{Delivery, Sink};
use crate::event::Event;

/// A sink that keeps events in memory, for tests and for inspection during development.
///
/// It keeps events up to its limit (10,000 by default) and rejects further ones. Clones share the
/// events.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, Event, MemorySink, Recorder};
/// use std::time::Duration;
///
/// let sink = MemorySink::new();
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// recorder.record(Event::builder("api_key.revoke").actor(Actor::user("u1")).build()?)?;
/// recorder.flush(Duration::from_secs(5)).await;
/// assert_eq!(sink.events()[0].action(), "api_key.revoke");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MemorySink {
    events: Arc<Mutex<Vec<Event>>>,
    limit: usize,
}

/// The default limit of a [`MemorySink`], in events.
const MEMORY_SINK_LIMIT: usize = 10_000;

impl MemorySink {
    /// Creates a sink that keeps up to 10,000 events.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MEMORY_SINK_LIMIT)
    }

    /// Creates a sink that keeps up to `limit` events.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            events: Arc::default(),
            limit,
        }
    }

    /// Returns the events delivered so far, in the order of delivery.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// Removes the events from the sink and returns them.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for MemorySink {
    async fn deliver(&self, event: &Event) -> Delivery {
        let mut events = self.lock();
        if events.len() >= self.limit {
            return Err(Fault::rejected(format!(
                "the memory sink holds its limit of {} events",
                self.limit
            )));
        }
        events.push(event.clone());
        Ok(())
    }
}
