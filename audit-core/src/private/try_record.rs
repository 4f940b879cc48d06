//! What `try_record!` calls, and how it can fail.

use std::panic::Location;

use crate::catalog::Action;
use crate::event::{Event, EventId, Outcome};
use crate::recorder::RecordError;
use crate::scope::Draft;

/// Why `try_record!` recorded nothing.
///
/// The event was counted either way: in [`unrecorded`](crate::unrecorded()) when there was no
/// recorder, else in [`Stats::refused`](crate::Stats::refused).
#[derive(Debug, thiserror::Error)]
#[error("record the event: {reason}")]
pub struct TryRecordError {
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(
        "there is no recorder; call this behind `AuditLayer` or `AuditMiddleware`, in `recorder.scope()..run(..)`, or after \
         `recorder.install()`"
    )]
    NoRecorder,
    #[error("{0}")]
    Refused(RecordError),
}

impl TryRecordError {
    /// Whether there was neither a scope nor an installed recorder. No expression of the call was
    /// evaluated then.
    #[must_use]
    pub fn is_without_recorder(&self) -> bool {
        matches!(self.reason, Reason::NoRecorder)
    }

    /// Whether the queue was at its limit of events or of bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(&self.reason, Reason::Refused(error) if error.is_full())
    }

    /// Whether the recorder was shut down before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(&self.reason, Reason::Refused(error) if error.is_closed())
    }

    /// The event that was refused, as it would have been delivered; `None` when there was no
    /// recorder.
    #[must_use]
    pub fn into_event(self) -> Option<Event> {
        match self.reason {
            Reason::NoRecorder => None,
            Reason::Refused(error) => Some(error.into_event()),
        }
    }
}

/// Opens a draft, or says that nobody would take its event.
#[doc(hidden)]
#[track_caller]
pub fn try_open(action: &'static str) -> Result<Draft, TryRecordError> {
    Draft::try_open(Action::checked(action), Location::caller()).ok_or(TryRecordError {
        reason: Reason::NoRecorder,
    })
}

/// Records the event of a draft at once, with what its scope knows by now.
#[doc(hidden)]
pub fn try_close(mut draft: Draft, outcome: Outcome) -> Result<EventId, TryRecordError> {
    let Some((event, scope)) = draft.finish(outcome) else {
        return Err(TryRecordError {
            reason: Reason::NoRecorder,
        });
    };
    scope.record_now(event).map_err(|error| TryRecordError {
        reason: Reason::Refused(error),
    })
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
    fn without_a_recorder_it_says_so_and_counts() {
        let before = crate::unrecorded();
        let error = record().unwrap_err();
        assert!(error.is_without_recorder() && !error.is_full() && !error.is_closed());
        assert!(error.to_string().contains("recorder.install()"), "{error}");
        assert!(error.into_event().is_none());
        assert_eq!(crate::unrecorded(), before + 1);
    }

    #[tokio::test]
    async fn inside_a_scope_it_records_at_once_with_what_is_known_by_then() {
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
    async fn a_refusal_hands_the_event_back() {
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
