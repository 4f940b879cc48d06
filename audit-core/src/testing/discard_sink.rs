//! A sink that keeps nothing.

use crate::event::Event;
use crate::sink::{Delivery, Sink};

/// A sink that accepts every event and keeps none.
///
/// For tests and benchmarks that read [`Recorder::stats`](crate::Recorder::stats) or the attempts
/// of a [`FaultSink`](crate::testing::FaultSink), and never the delivered events.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::testing::DiscardSink;
/// use audit_core::{Event, Recorder};
/// use std::time::Duration;
///
/// let recorder = Recorder::builder(DiscardSink).build()?;
/// recorder.record(Event::builder("document.delete").build()?)?;
/// recorder.flush(Duration::from_secs(5)).await;
/// assert_eq!(recorder.stats().delivered, 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DiscardSink;

impl Sink for DiscardSink {
    async fn deliver(&self, _: &Event) -> Delivery {
        Ok(())
    }
}
