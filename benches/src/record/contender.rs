//! The interface of everything that is compared.

use std::time::{Duration, Instant};

use crate::Result;
use crate::counting_sink::ConsumedCount;

/// The capacity of each queue: room for all events that are made before the consumer is waited for.
pub(super) const CAPACITY: usize = 8_192;
/// The longest that a consumer may take for the events that it was given.
const DEADLINE: Duration = Duration::from_secs(10);

/// The state of the consumer of the events while they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumer {
    /// Idle from `begin` to `finish`, so that the caller has the machine to itself.
    Idle,
    /// Takes events as they come, as in a service.
    Live,
}

/// One way to hand events over.
pub trait Contender {
    fn label(&self) -> &'static str;

    /// Prepares the next `events`; not measured.
    ///
    /// # Errors
    ///
    /// The consumer has ended.
    fn begin(&mut self, events: u64) -> Result<()>;

    /// Makes events and hands them over; this is measured.
    fn emit(&mut self, events: u64);

    /// Waits until the consumer has taken all events; not measured.
    ///
    /// # Errors
    ///
    /// The consumer missed its deadline, or an event was lost.
    fn finish(&mut self) -> Result<()>;

    /// Returns the count of events that the consumer has taken so far.
    fn consumed(&self) -> &ConsumedCount;
}

/// Waits until the consumer has taken this many events.
pub(super) fn wait_for(consumed: &ConsumedCount, events: u64, label: &str) -> Result<()> {
    let begun = Instant::now();
    while consumed.get() < events {
        if begun.elapsed() > DEADLINE {
            let consumed = consumed.get();
            return Err(format!("{label}: of {events} events {consumed} arrived").into());
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}
