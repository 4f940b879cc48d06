//! Why a recorder does not take an event, or is not installed.

use std::fmt;
use std::sync::Arc;

use crate::delivery::{Refusal, Shared};
use crate::event::Event;

/// The event was not accepted; it is inside.
///
/// Who takes it out with [`RecordError::into_event`] has it. An error that is dropped with the
/// event inside counts it in [`Stats::dropped`](crate::Stats::dropped).
pub struct RecordError {
    event: Option<Box<Event>>,
    why: Why,
    shared: Arc<Shared>,
}

/// Why the event was not accepted.
#[derive(Debug)]
pub(super) enum Why {
    Queue(Refusal),
    #[cfg(feature = "spool")]
    NoSpool,
    #[cfg(feature = "spool")]
    Spool(Box<crate::SpoolError>),
}

impl RecordError {
    pub(super) fn new(event: Event, why: Why, shared: Arc<Shared>) -> Self {
        Self {
            event: Some(Box::new(event)),
            why,
            shared,
        }
    }

    /// Whether the queue was at its limit of events or of bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.why, Why::Queue(Refusal::Full))
    }

    /// Whether the recorder was shut down before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.why, Why::Queue(Refusal::Closed))
    }

    /// Whether the dispatcher panicked so often that it was given up. Only another recorder, or a
    /// start of the process, helps; [`Recorder::health`](crate::Recorder::health) is red before it
    /// comes to this.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self.why, Why::Queue(Refusal::Down))
    }

    /// Whether a durable event could not be written: there is no spool, it is at its bound, or the
    /// disk does not take it.
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn is_not_durable(&self) -> bool {
        matches!(self.why, Why::NoSpool | Why::Spool(_))
    }

    /// The event, as it would have been delivered.
    #[must_use]
    pub fn into_event(mut self) -> Event {
        // Nothing but this takes it, and this takes the error.
        self.event
            .take()
            .map_or_else(|| Event::begin("", 0), |event| *event)
    }

    /// The event's action.
    pub(super) fn action(&self) -> &str {
        self.event.as_deref().map(Event::action).unwrap_or_default()
    }
}

impl Drop for RecordError {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.shared.dropped(&event);
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.why {
            Why::Queue(Refusal::Full) => {
                "the queue is full; the sink is slower than the service records, or stands still"
            }
            Why::Queue(Refusal::Closed) => "the recorder was shut down",
            Why::Queue(Refusal::Down) => {
                "the recorder's dispatcher panicked too often and was given up; start the process again"
            }
            #[cfg(feature = "spool")]
            Why::NoSpool => "the event is durable and the recorder has no spool; give it one with `spool`",
            #[cfg(feature = "spool")]
            Why::Spool(error) => return write!(f, "the spool did not take the event: {error}"),
        })
    }
}

impl fmt::Debug for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordError")
            .field("why", &self.why)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for RecordError {}

/// Another recorder is the process's already.
#[derive(Debug, thiserror::Error)]
#[error("another recorder was installed before, and stays")]
pub struct InstallError {
    pub(super) private: (),
}
