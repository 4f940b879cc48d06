//! One recorded attempt of a scripted sink.

use std::time::Duration;

use crate::event::EventId;
use crate::sink::{Delivery, Fault};

/// One delivery attempt that a [`FaultSink`](crate::testing::FaultSink) received.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::testing::FaultSink;
/// use audit_core::{Event, Sink};
///
/// let sink = FaultSink::discarding().fail_times(1);
/// let event = Event::builder("document.delete").build()?;
/// assert!(sink.deliver(&event).await.is_err());
/// assert!(sink.deliver(&event).await.is_ok());
///
/// let attempts = sink.attempts();
/// assert_eq!((attempts[0].number(), attempts[1].number()), (1, 2));
/// assert!(attempts[0].fault().is_some() && attempts[1].is_delivered());
/// assert_eq!(attempts[1].event_id(), event.id());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Attempt {
    number: usize,
    event_id: EventId,
    at: Duration,
    /// `None` until the attempt ends; it stays `None` if the attempt panics or is dropped.
    result: Option<Delivery>,
}

impl Attempt {
    pub(super) fn begun(number: usize, event_id: EventId, at: Duration) -> Self {
        Self {
            number,
            event_id,
            at,
            result: None,
        }
    }

    pub(super) fn end(&mut self, result: Delivery) {
        self.result = Some(result);
    }

    /// Returns the position among all attempts of the sink, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the id of the event. It is the same in every attempt for one event.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id
    }

    /// Returns the time from the creation of the sink to the start of the attempt, by Tokio's
    /// clock: virtual where the clock is paused.
    #[must_use]
    pub fn at(&self) -> Duration {
        self.at
    }

    /// Returns `true` if the attempt delivered its event.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self.result, Some(Ok(())))
    }

    /// Returns the fault the attempt failed with; `None` if it delivered its event, has not ended,
    /// panicked, or was dropped before its end.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.result.as_ref()?.as_ref().err()
    }
}
