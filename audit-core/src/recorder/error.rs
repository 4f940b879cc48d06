//! Errors of recording an event and of installing a recorder.

use std::fmt;
use std::sync::Arc;

use crate::delivery::{Pipeline, Refusal};
use crate::event::Event;

/// A refusal to accept an event, with the event inside.
///
/// Take the event out with [`RecordError::into_event`]. An error that is dropped with its event
/// counts it in [`Stats::dropped`](crate::Stats::dropped).
pub struct RecordError {
    event: Option<Box<Event>>,
    kind: RecordErrorKind,
    pipeline: Arc<Pipeline>,
}

/// The reason for the refusal.
#[derive(Debug)]
pub(super) enum RecordErrorKind {
    Queue(Refusal),
    #[cfg(feature = "spool")]
    NoSpool,
    #[cfg(feature = "spool")]
    Spool(Box<crate::spool::SpoolError>),
}

impl RecordError {
    pub(super) fn new(event: Event, kind: RecordErrorKind, pipeline: Arc<Pipeline>) -> Self {
        Self {
            event: Some(Box::new(event)),
            kind,
            pipeline,
        }
    }

    /// Returns `true` if the queue was at its limit of events or of bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.kind, RecordErrorKind::Queue(Refusal::Full))
    }

    /// Returns `true` if the recorder had been shut down.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.kind, RecordErrorKind::Queue(Refusal::Closed))
    }

    /// Returns `true` if the dispatcher panicked too often and was stopped.
    ///
    /// Only another recorder or a restart of the process helps.
    /// [`Recorder::health`](crate::Recorder::health) is unhealthy before this happens.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self.kind, RecordErrorKind::Queue(Refusal::Down))
    }

    /// Returns `true` if a durable event could not be written: there is no spool, it is at its
    /// bound, or the disk refused the write.
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn is_not_durable(&self) -> bool {
        matches!(
            self.kind,
            RecordErrorKind::NoSpool | RecordErrorKind::Spool(_)
        )
    }

    /// Returns the event, as it would have been delivered.
    #[must_use]
    pub fn into_event(mut self) -> Event {
        // Always present: only this method takes the event, and it consumes the error.
        self.event
            .take()
            .map_or_else(|| Event::begin("", 0), |event| *event)
    }

    /// Returns the event's action.
    pub(super) fn action(&self) -> &str {
        self.event.as_deref().map(Event::action).unwrap_or_default()
    }
}

impl Drop for RecordError {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.pipeline.count_dropped(&event);
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            RecordErrorKind::Queue(Refusal::Full) => {
                "the queue is full; the sink is slower than the service records, or does not respond"
            }
            RecordErrorKind::Queue(Refusal::Closed) => "the recorder was shut down",
            RecordErrorKind::Queue(Refusal::Down) => {
                "the recorder's dispatcher panicked too often and was stopped; restart the process"
            }
            #[cfg(feature = "spool")]
            RecordErrorKind::NoSpool => "the event is durable and the recorder has no spool; give it one with `spool`",
            #[cfg(feature = "spool")]
            RecordErrorKind::Spool(error) => return write!(f, "the spool refused the event: {error}"),
        })
    }
}

impl fmt::Debug for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordError")
            .field("kind", &self.kind)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for RecordError {}

/// Another recorder was installed in this process before.
#[derive(Debug, thiserror::Error)]
#[error("another recorder is already installed, and was kept")]
pub struct InstallError {
    pub(super) private: (),
}
