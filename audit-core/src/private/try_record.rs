//! The runtime of `try_record!` and `record_durable!`, and their error.

#[cfg(feature = "spool")]
use std::future::Future;
use std::panic::Location;

use crate::catalog::Action;
use crate::event::{Event, EventId, Outcome};
use crate::recorder::RecordError;
use crate::scope::Draft;

/// The error of `try_record!` and `record_durable!`: no event was recorded.
///
/// The call is counted in [`unrecorded`](crate::unrecorded()) if there was no recorder, otherwise
/// in [`Stats::refused`](crate::Stats::refused).
#[derive(Debug, thiserror::Error)]
#[error("record the event: {kind}")]
pub struct TryRecordError {
    kind: ErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error(
        "there is no recorder; call this behind `AuditLayer` or `AuditMiddleware`, in `recorder.scope()..run(..)`, or after \
         `recorder.install()`"
    )]
    NoRecorder,
    #[error("{0}")]
    Refused(RecordError),
}

impl TryRecordError {
    fn no_recorder() -> Self {
        Self {
            kind: ErrorKind::NoRecorder,
        }
    }

    fn refused(error: RecordError) -> Self {
        Self {
            kind: ErrorKind::Refused(error),
        }
    }

    /// Returns `true` if there was neither a scope nor an installed recorder.
    ///
    /// No expression of the call was evaluated then.
    #[must_use]
    pub fn is_without_recorder(&self) -> bool {
        matches!(self.kind, ErrorKind::NoRecorder)
    }

    /// Returns `true` if the queue was at its limit of events or of bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(&self.kind, ErrorKind::Refused(error) if error.is_full())
    }

    /// Returns `true` if the recorder was shut down before the call.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(&self.kind, ErrorKind::Refused(error) if error.is_closed())
    }

    /// Returns `true` if the event could not be written: there is no spool, it is at its bound, or
    /// the disk refused the write.
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn is_not_durable(&self) -> bool {
        matches!(&self.kind, ErrorKind::Refused(error) if error.is_not_durable())
    }

    /// Returns the refused event as it would have been delivered; `None` if there was no recorder.
    #[must_use]
    pub fn into_event(self) -> Option<Event> {
        match self.kind {
            ErrorKind::NoRecorder => None,
            ErrorKind::Refused(error) => Some(error.into_event()),
        }
    }
}

/// Opens a draft, or returns an error if there is no recorder for its event.
#[doc(hidden)]
#[track_caller]
pub fn try_open(action: &'static str) -> Result<Draft, TryRecordError> {
    Draft::try_open(Action::checked(action), Location::caller())
        .ok_or_else(TryRecordError::no_recorder)
}

/// Records the event of a draft immediately, with the actor, organization and context that its
/// scope knows so far.
#[doc(hidden)]
pub fn try_close(mut draft: Draft, outcome: Outcome) -> Result<EventId, TryRecordError> {
    let (event, scope) = draft
        .finish(outcome)
        .ok_or_else(TryRecordError::no_recorder)?;
    scope.record_now(event).map_err(TryRecordError::refused)
}

/// Gives the event of a draft to the spool immediately, with what its scope knows so far, and
/// returns the wait for its write.
#[cfg(feature = "spool")]
#[doc(hidden)]
pub fn write(
    closed: Result<(Draft, Outcome), TryRecordError>,
) -> impl Future<Output = Result<EventId, TryRecordError>> + Send + use<> {
    let written = closed.and_then(|(mut draft, outcome)| {
        let (event, scope) = draft
            .finish(outcome)
            .ok_or_else(TryRecordError::no_recorder)?;
        Ok(scope.write_now(event))
    });
    async move { written?.await.map_err(TryRecordError::refused) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Actor;
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    fn record() -> Result<EventId, TryRecordError> {
        try_close(try_open("document.export")?, Outcome::Succeeded)
    }

    #[test]
    fn call_without_a_recorder_returns_an_error_and_is_counted() {
        let before = crate::unrecorded();
        let error = record().unwrap_err();
        assert!(error.is_without_recorder() && !error.is_full() && !error.is_closed());
        assert!(error.to_string().contains("recorder.install()"), "{error}");
        assert!(error.into_event().is_none());
        assert_eq!(crate::unrecorded(), before + 1);
    }

    #[tokio::test]
    async fn event_in_a_scope_is_recorded_before_the_scope_is_settled() {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let scope = recorder.scope().actor(Actor::user("u1"));
        let id = scope.enter(record).unwrap();
        recorder.flush(Duration::from_secs(5)).await;
        scope.set_organization("too late");
        let events = sink.events();
        assert_eq!(events.len(), 1, "the scope is not settled yet");
        assert_eq!(events[0].id(), id);
        assert_eq!(events[0].actor().unwrap().id(), "u1");
        assert_eq!(events[0].organization(), None);
    }

    #[tokio::test]
    async fn refusal_returns_the_event() {
        let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
        recorder.shutdown(Duration::from_secs(5)).await;
        let error = recorder
            .scope()
            .actor(Actor::system())
            .enter(record)
            .unwrap_err();
        assert!(error.is_closed() && !error.is_full() && !error.is_without_recorder());
        assert_eq!(error.into_event().unwrap().action(), "document.export");
        assert_eq!(recorder.stats().refused, 1);
    }
}
