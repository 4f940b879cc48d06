//! An append on its way to the disk, and the caller that waits for it.

use tokio::sync::oneshot;

use super::error::SpoolError;
use super::rows::{Guarantee, NewEvent};
use super::totals::ROW_BYTES;

/// The reaction to an append that the disk did not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    /// Return the error; the caller still has the event.
    ReturnToCaller,
    /// Keep the event queued, and the caller waiting.
    KeepRetrying,
}

/// The caller that waits for an append.
#[derive(Debug)]
pub(super) struct Waiter {
    result: oneshot::Sender<Result<i64, SpoolError>>,
    on_error: OnError,
}

impl Waiter {
    pub(super) fn new(result: oneshot::Sender<Result<i64, SpoolError>>, on_error: OnError) -> Self {
        Self { result, on_error }
    }

    /// Reports the row id of the written event. A caller that stopped waiting finds it pending.
    pub(super) fn succeed(self, row: i64) {
        drop(self.result.send(Ok(row)));
    }
}

/// An event queued for the disk, with its waiter if it has one.
#[derive(Debug)]
pub(super) struct QueuedAppend {
    pub(super) event: NewEvent,
    pub(super) waiter: Option<Waiter>,
}

impl QueuedAppend {
    pub(super) fn new(guarantee: Guarantee, packed: Vec<u8>, waiter: Option<Waiter>) -> Self {
        Self {
            event: NewEvent {
                guarantee,
                first_attempt: None,
                packed,
            },
            waiter,
        }
    }

    /// Sets the time of the first attempt whose result is not known, in milliseconds since 1970.
    pub(super) fn with_first_attempt(mut self, millis: Option<u64>) -> Self {
        self.event.first_attempt = millis;
        self
    }

    /// Returns the bytes that the event will occupy in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.event.packed.len() as u64 + ROW_BYTES
    }

    /// Returns `true` if the caller receives an error, and otherwise the event stays queued.
    pub(super) fn returns_errors(&self) -> bool {
        let waiter = self.waiter.as_ref();
        waiter.is_some_and(|waiter| waiter.on_error == OnError::ReturnToCaller)
    }

    /// Returns `true` if the caller still waits, and has the event.
    pub(super) fn caller_has_event(&self) -> bool {
        let waiter = self.waiter.as_ref();
        self.returns_errors() && waiter.is_some_and(|waiter| !waiter.result.is_closed())
    }

    /// Reports the error to a caller that wants it.
    ///
    /// Returns the append otherwise, or if that caller stopped waiting: the event was accepted and
    /// is still to be written.
    pub(super) fn fail(self, error: &SpoolError) -> Option<Self> {
        if !self.returns_errors() {
            return Some(self);
        }
        let Self { event, waiter } = self;
        let result = waiter?.result.send(Err(error.clone()));
        result.is_err().then_some(Self {
            event,
            waiter: None,
        })
    }
}
