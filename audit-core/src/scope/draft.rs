//! The draft: an event being made, opened when an audited function is entered and closed when it is
//! left.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use super::scope::Scope;
use crate::catalog::Action;
use crate::delivery::Commits;
use crate::event::{AuditText, Event, MetadataValue, Outcome, Target, key_error, now_millis};
use crate::recorder::Recorder;
use crate::telemetry::count_unrecorded;

/// The places of audited functions that have complained about it; at most one entry for each in the
/// program.
static COMPLAINED: Mutex<BTreeSet<&'static Location<'static>>> = Mutex::new(BTreeSet::new());

/// Says what to do, once for each place.
fn complain(action: &str, at: &'static Location<'static>) {
    let mut complained = COMPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
    if complained.insert(at) {
        drop(complained);
        tracing::error!(
            action,
            at = %format_args!("{}:{}", at.file(), at.line()),
            "audited function called without a recorder, so its events are not recorded: serve it behind \
             `AuditLayer` or `AuditMiddleware`, run it in `recorder.scope()..run(..)`, or call `recorder.install()` once at start"
        );
    }
}

/// An event being made, from the moment an audited function is entered until it is left.
///
/// `event = ev` in the attribute gives the body its draft, for what is known only on the way:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, MemorySink, Outcome, Recorder, Target, audited};
/// use std::time::Duration;
///
/// // audit.toml:
/// // [action."document.delete"]
/// // targets = ["document"]
/// #[audited(action = "document.delete", target = "folder", event = ev)]
/// fn delete_folder(folder: u64, documents: &[u64]) -> bool {
///     for document in documents {
///         ev.target(Target::new("document", document));
///     }
///     if documents.is_empty() {
///         ev.deny("the folder is empty");
///     }
///     !documents.is_empty()
/// }
///
/// let sink = MemorySink::new();
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// recorder.scope().actor(Actor::system()).run(async { delete_folder(1, &[2, 3]); delete_folder(4, &[]) }).await;
/// recorder.flush(Duration::from_secs(5)).await;
///
/// let events = sink.events();
/// assert_eq!(events[0].targets().count(), 3);
/// assert_eq!(events[1].outcome(), Outcome::Denied);
/// # Ok(()) }
/// ```
///
/// Dropped unclosed it ends as `panicked` while unwinding, else as `abandoned`. Where there is no
/// recorder its methods do nothing.
#[derive(Debug)]
pub struct Draft {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    /// Where it will end. `None` only while nobody has begun: see [`Draft::defer`].
    scope: Option<Scope>,
    /// The audited function, for the log.
    at: &'static Location<'static>,
    /// The types of targets that nobody knows yet.
    late: &'static [&'static str],
    /// The action under which a denial appears, when it is another.
    denied_action: Option<&'static str>,
    /// Whether the body said that this is a denial.
    denied: bool,
    /// Whether the thread was unwinding already when the function was entered, as in a `Drop`.
    unwinding: bool,
}

impl Draft {
    /// A draft that belongs to the current scope, or to the installed recorder.
    pub(crate) fn open(action: Action, at: &'static Location<'static>) -> Self {
        Self::try_open(action, at).unwrap_or_else(|| {
            complain(action.as_str(), at);
            Self { open: None }
        })
    }

    /// A draft, unless there is no recorder; that is counted, and left to the caller to tell.
    pub(crate) fn try_open(action: Action, at: &'static Location<'static>) -> Option<Self> {
        let scope = Scope::current().or_else(installed);
        if scope.is_none() {
            count_unrecorded();
            return None;
        }
        Some(Self::with(action, at, scope))
    }

    /// A draft of a call that returns a future. The scope of whoever polls the future is not known
    /// yet, so it is open even if there is no scope here.
    pub(crate) fn defer(action: Action, at: &'static Location<'static>) -> Self {
        Self::with(action, at, Scope::current())
    }

    fn with(action: Action, at: &'static Location<'static>, scope: Option<Scope>) -> Self {
        if let Some(scope) = &scope {
            scope.mark_audited();
        }
        Self {
            open: Some(Open {
                event: Event::begin(action.as_str(), now_millis()),
                scope,
                at,
                late: &[],
                denied_action: None,
                denied: false,
                unwinding: std::thread::panicking(),
            }),
        }
    }

    /// Names the types of the targets that are known only from a successful result. Until
    /// [`Draft::resolve`] they end as `unresolved`.
    pub(crate) fn set_late(&mut self, kinds: &'static [&'static str]) {
        if let Some(open) = &mut self.open {
            open.late = kinds;
        }
    }

    /// Names the action under which a denial appears.
    pub(crate) fn set_denied_action(&mut self, action: &'static str) {
        if let Some(open) = &mut self.open {
            open.denied_action = Some(action);
        }
    }

    /// The call went well, and its future waits to be polled.
    pub(crate) fn unpolled(self) -> Unpolled {
        Unpolled(self)
    }

    /// Whether there is a recorder to whom the event will go. If not, nothing needs to be captured.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.open.is_some()
    }

    /// Adds a target. When there are more than the service takes on one event (20), the event is
    /// split.
    pub fn target(&mut self, target: Target) {
        if let Some(event) = self.event() {
            event.push_each_target(&target);
        }
    }

    /// Adds a fact about the event, or replaces the one of that key.
    ///
    /// A key that the service would refuse, or that the framework sets, is left out of the event
    /// and listed in its `truncated`; a log line says which and why.
    pub fn metadata(&mut self, key: &str, value: impl MetadataValue) {
        let Some(event) = self.event() else { return };
        match key_error(key) {
            None => event.push_metadata(key, &value),
            Some(error) => {
                tracing::error!(action = event.action(), "audit metadata left out: {error}");
                event.push_truncated(key);
            }
        }
    }

    /// Says that the operation was denied, and why, whatever the function returns. A panic or a
    /// drop still counts as such.
    ///
    /// The reason becomes the event's metadata `error`.
    pub fn deny(&mut self, reason: impl AuditText) {
        if let Some(open) = &mut self.open {
            open.denied = true;
            reason.append(open.event.entry("error"));
        }
    }

    /// Leaves no event of this call, because nothing happened that an auditor would ask for. The
    /// call is counted in [`Stats::skipped`](crate::Stats::skipped), and the reason logged at the
    /// level `debug`.
    pub fn skip(&mut self, reason: &'static str) {
        if let Some(open) = self.open.take() {
            tracing::debug!(action = open.event.action(), reason, "audit event skipped");
            if let Some(scope) = open.scope {
                scope.skipped();
            }
        }
    }

    pub(crate) fn event(&mut self) -> Option<&mut Event> {
        self.open.as_mut().map(|open| &mut open.event)
    }

    /// The result is there, and its targets follow.
    pub(crate) fn resolve(&mut self) {
        if let Some(open) = &mut self.open {
            open.late = &[];
        }
    }

    /// Says that the event is to be on the disk before its caller goes on.
    pub(crate) fn set_durable(&mut self) {
        if let Some(event) = self.event() {
            event.set_durable();
        }
    }

    pub(crate) fn close(mut self, outcome: Outcome) -> Commits {
        self.end(outcome)
    }

    fn end(&mut self, outcome: Outcome) -> Commits {
        match self.finish(outcome) {
            Some((event, scope)) => scope.ended(event),
            None => Commits::default(),
        }
    }

    /// The event, complete but for what its scope knows.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> Option<(Event, Scope)> {
        let Open {
            mut event,
            scope,
            at,
            late,
            denied_action,
            denied,
            ..
        } = self.open.take()?;
        let Some(scope) = scope.or_else(installed) else {
            count_unrecorded();
            complain(event.action(), at);
            return None;
        };
        for kind in late {
            // A failed creation is still an event, of a thing that never got an id.
            event.push_target_id(kind, "unresolved");
        }
        let returned = !matches!(outcome, Outcome::Panicked | Outcome::Abandoned);
        let outcome = if denied && returned {
            Outcome::Denied
        } else {
            outcome
        };
        event.set_outcome(outcome);
        if let Some(action) = denied_action
            && outcome.may_be_denied()
        {
            event.set_denied_action(action);
        }
        Some((event, scope))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let Some(open) = &self.open else { return };
        let panicked = std::thread::panicking() && !open.unwinding;
        // Nobody is left who could wait.
        drop(self.end(if panicked {
            Outcome::Panicked
        } else {
            Outcome::Abandoned
        }));
    }
}

/// A scope of its own for an event outside any, if a recorder was installed.
fn installed() -> Option<Scope> {
    Recorder::installed().cloned().map(Scope::detached)
}

/// The draft of a future that nobody has polled. The operation has not begun, so dropping it leaves
/// no event.
#[derive(Debug)]
pub(crate) struct Unpolled(Draft);

impl Unpolled {
    /// The first poll. The event goes where it would go if an async function began here; if nobody
    /// records here, to the scope of the call.
    pub(crate) fn begin(mut self) -> Draft {
        let mut open = self.0.open.take();
        if let Some(begun) = &mut open {
            begun.unwinding = std::thread::panicking();
            let here = Scope::current().or_else(|| begun.scope.take());
            begun.scope = here.or_else(installed);
            if let Some(scope) = &begun.scope {
                scope.mark_audited();
            } else {
                count_unrecorded();
                complain(begun.event.action(), begun.at);
                open = None;
            }
        }
        Draft { open }
    }
}

impl Drop for Unpolled {
    fn drop(&mut self) {
        self.0.open = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::unrecorded;

    #[test]
    fn without_a_recorder_nothing_is_captured_and_the_call_is_counted() {
        let before = unrecorded();
        let mut draft = Draft::open(Action::checked("document.delete"), Location::caller());
        assert!(!draft.is_recording());
        assert!(draft.event().is_none());
        draft.close(Outcome::Succeeded).wait();
        assert_eq!(unrecorded(), before + 1);
    }
}
