//! Why a recorder does not take an event, or is not installed.

use crate::Event;
use crate::queue::Refusal;

/// The event was not accepted; it is inside.
#[derive(Debug, thiserror::Error)]
#[error("{}", match refusal {
    Refusal::Full => "the queue is full; the sink is slower than the service records, or stands still",
    Refusal::Closed => "the recorder was shut down",
})]
pub struct RecordError {
    pub(super) event: Box<Event>,
    pub(super) refusal: Refusal,
}

impl RecordError {
    /// Whether the queue was at its limit of events or of bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.refusal == Refusal::Full
    }

    /// Whether the recorder was shut down before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.refusal == Refusal::Closed
    }

    /// The event, as it would have been delivered.
    #[must_use]
    pub fn into_event(self) -> Event {
        *self.event
    }
}

/// Another recorder is the process's already.
#[derive(Debug, thiserror::Error)]
#[error("another recorder was installed before, and stays")]
pub struct InstallError {
    pub(super) private: (),
}
