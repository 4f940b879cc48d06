//! What all that are compared have in common.

use std::time::{Duration, Instant};

use super::{channel, json, official, ours, telemetry};
use crate::Result;
use crate::facts::Facts;
use crate::nowhere::Taken;

/// Room for everything that a measurement makes before it waits for the consumer.
pub(super) const CAPACITY: usize = 8_192;
/// How long a consumer may take for what it was given.
const PATIENCE: Duration = Duration::from_secs(10);

/// What takes the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumer {
    /// Rests from `begin` to `finish`, so that the caller has the machine to itself.
    Idle,
    /// Works whenever there is something to do, as in a service.
    Live,
}

/// A way to hand events over.
pub trait Contender {
    fn label(&self) -> &'static str;

    /// Prepares the next `events`, which is not measured.
    ///
    /// # Errors
    ///
    /// The consumer is not there.
    fn begin(&mut self, events: u64) -> Result<()>;

    /// Makes events and hands them over; what is measured.
    fn emit(&mut self, events: u64);

    /// Lets the consumer take all there is, which is not measured.
    ///
    /// # Errors
    ///
    /// It does not, or something was lost on the way.
    fn finish(&mut self) -> Result<()>;

    /// What the consumer has taken so far.
    fn taken(&self) -> &Taken;
}

/// All that are compared: first ours.
///
/// # Errors
///
/// One cannot be set up.
pub fn contenders(consumer: Consumer) -> Result<Vec<Box<dyn Contender>>> {
    let facts = Facts::default();
    Ok(vec![
        Box::new(ours::Record::new(facts.clone())?),
        Box::new(channel::PreBuilt::new(&facts, consumer)?),
        Box::new(telemetry::Telemetry::new(facts.clone(), consumer)?),
        Box::new(json::TracingJson::new(facts.clone(), consumer)),
        Box::new(official::Official::new(facts, consumer)?),
    ])
}

/// Waits until so many were taken.
pub(super) fn wait_for(taken: &Taken, events: u64, label: &str) -> Result<()> {
    let begun = Instant::now();
    while taken.get() < events {
        if begun.elapsed() > PATIENCE {
            let taken = taken.get();
            return Err(format!("{label}: of {events} events {taken} arrived").into());
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}
