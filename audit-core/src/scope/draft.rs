//! The draft: the event of an audited function between entry and exit.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use super::scope::Scope;
use crate::catalog::Action;
use crate::delivery::DurableWait;
use crate::event::{AuditText, Event, MetadataValue, Outcome, Target, key_error, now_millis};
use crate::recorder::Recorder;
use crate::telemetry::count_unrecorded;

/// The call sites that have logged the missing recorder; at most one entry for each in the program.
static WARNED: Mutex<BTreeSet<&'static Location<'static>>> = Mutex::new(BTreeSet::new());

/// Logs the missing recorder with its remedy, once for each call site.
fn log_missing_recorder(action: &str, at: &'static Location<'static>) {
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.insert(at) {
        drop(warned);
        tracing::error!(
            action,
            at = %format_args!("{}:{}", at.file(), at.line()),
            "audited function called without a recorder, so its event is not recorded: serve it behind \
             `AuditLayer` or `AuditMiddleware`, run it in `recorder.scope()..run(..)`, or call `recorder.install()` once at start"
        );
    }
}

/// The event of an audited function, from entry to exit.
///
/// `event = ev` in the attribute gives the body access to its draft, for facts that become known on
/// the way:
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
/// A draft that is dropped without being closed ends as `panicked` while the thread unwinds,
/// otherwise as `abandoned`. Without a recorder its methods do nothing.
#[derive(Debug)]
pub struct Draft {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    /// The scope that gets the event. `None` only before the first poll: see [`Draft::defer`].
    scope: Option<Scope>,
    /// The call site, for the log.
    at: &'static Location<'static>,
    /// The types of targets that only a successful result provides.
    unresolved_targets: &'static [&'static str],
    /// The action under which a denial is recorded, if it is another.
    denied_action: Option<&'static str>,
    /// Set when the body called [`Draft::deny`].
    denied: bool,
    /// Set if the thread was already unwinding on entry, as in a `Drop`.
    unwinding: bool,
}

impl Draft {
    /// Opens a draft in the current scope, or for the installed recorder.
    pub(crate) fn open(action: Action, at: &'static Location<'static>) -> Self {
        Self::try_open(action, at).unwrap_or_else(|| {
            log_missing_recorder(action.as_str(), at);
            Self { open: None }
        })
    }

    /// Opens a draft, or counts the call and returns `None` if there is no recorder.
    pub(crate) fn try_open(action: Action, at: &'static Location<'static>) -> Option<Self> {
        let scope = Scope::current().or_else(installed);
        if scope.is_none() {
            count_unrecorded();
            return None;
        }
        Some(Self::with(action, at, scope))
    }

    /// Opens the draft of a call that returns a future.
    ///
    /// The scope of the task that will poll the future is not known yet, so the draft is open even
    /// without a scope here.
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
                unresolved_targets: &[],
                denied_action: None,
                denied: false,
                unwinding: std::thread::panicking(),
            }),
        }
    }

    /// Sets the types of the targets that only a successful result provides.
    ///
    /// Until [`Draft::resolve`] they are recorded as `unresolved`.
    pub(crate) fn set_unresolved_targets(&mut self, kinds: &'static [&'static str]) {
        if let Some(open) = &mut self.open {
            open.unresolved_targets = kinds;
        }
    }

    /// Sets the action under which a denial is recorded.
    pub(crate) fn set_denied_action(&mut self, action: &'static str) {
        if let Some(open) = &mut self.open {
            open.denied_action = Some(action);
        }
    }

    /// Hands the draft over to a future that has not been polled.
    pub(crate) fn unpolled(self) -> Unpolled {
        Unpolled(self)
    }

    /// Returns `true` if a recorder will get the event; otherwise nothing needs to be captured.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.open.is_some()
    }

    /// Adds a target. An event with more targets than the service accepts (20) is split.
    pub fn target(&mut self, target: Target) {
        if let Some(event) = self.event() {
            event.push_each_target(&target);
        }
    }

    /// Sets a metadata value of the event.
    ///
    /// A key that the service would refuse, or that the framework sets, is left out of the event
    /// and listed in its `truncated`; a log line gives the key and the reason.
    pub fn metadata(&mut self, key: &str, value: impl MetadataValue) {
        let Some(event) = self.event() else { return };
        match key_error(key) {
            None => render(event, |event| event.push_metadata(key, &value)),
            Some(error) => {
                tracing::error!(action = event.action(), "audit metadata left out: {error}");
                event.push_truncated(key);
            }
        }
    }

    /// Marks the operation as denied, whatever the function returns, with the reason.
    ///
    /// A panic or a drop still counts as such. The reason becomes the event's metadata `error`.
    pub fn deny(&mut self, reason: impl AuditText) {
        if let Some(open) = &mut self.open {
            open.denied = true;
            render(&mut open.event, |event| reason.append(event.entry("error")));
        }
    }

    /// Discards the event of this call, because nothing happened that an auditor would ask for.
    ///
    /// The call is counted in [`Stats::skipped`](crate::Stats::skipped), and the reason is logged
    /// at level `debug`.
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

    /// Notes that the result is known, and that its targets follow.
    pub(crate) fn resolve(&mut self) {
        if let Some(open) = &mut self.open {
            open.unresolved_targets = &[];
        }
    }

    /// Requires the event to be on disk before its caller continues.
    pub(crate) fn set_durable(&mut self) {
        if let Some(event) = self.event() {
            event.set_durable();
        }
    }

    pub(crate) fn close(mut self, outcome: Outcome) -> DurableWait {
        self.end(outcome)
    }

    fn end(&mut self, outcome: Outcome) -> DurableWait {
        match self.finish(outcome) {
            Some((event, scope)) => scope.finish(event),
            None => DurableWait::default(),
        }
    }

    /// Returns the event, complete except for what its scope adds.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> Option<(Event, Scope)> {
        let Open {
            mut event,
            scope,
            at,
            unresolved_targets,
            denied_action,
            denied,
            ..
        } = self.open.take()?;
        let Some(scope) = scope.or_else(installed) else {
            count_unrecorded();
            log_missing_recorder(event.action(), at);
            return None;
        };
        let returned = !matches!(outcome, Outcome::Panicked | Outcome::Abandoned);
        if !returned {
            event.leave_out_unfinished();
        }
        for kind in unresolved_targets {
            // A failed creation is still an event; its target never got an id.
            event.push_target_id(kind, "unresolved");
        }
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
        // No caller is left to wait.
        drop(self.end(if panicked {
            Outcome::Panicked
        } else {
            Outcome::Abandoned
        }));
    }
}

/// Runs user code that writes into an event, whose panic the body of the function may catch.
fn render(event: &mut Event, write: impl FnOnce(&mut Event)) {
    struct LeaveOutOnPanic<'a>(&'a mut Event);

    impl Drop for LeaveOutOnPanic<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.leave_out_unfinished();
            }
        }
    }

    let guard = LeaveOutOnPanic(event);
    write(guard.0);
}

/// Returns a detached scope for an event outside any scope, if a recorder was installed.
fn installed() -> Option<Scope> {
    Recorder::installed().cloned().map(Scope::detached)
}

/// The draft of a future that has not been polled.
///
/// The operation has not begun, so dropping it leaves no event.
#[derive(Debug)]
pub(crate) struct Unpolled(Draft);

impl Unpolled {
    /// Begins the draft at the first poll.
    ///
    /// The event goes where it would go if an async function began here; without a recorder here,
    /// to the scope of the call.
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
                log_missing_recorder(begun.event.action(), begun.at);
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
    fn a_call_without_a_recorder_captures_nothing_and_is_counted() {
        let before = unrecorded();
        let mut draft = Draft::open(Action::checked("document.delete"), Location::caller());
        assert!(!draft.is_recording());
        assert!(draft.event().is_none());
        draft.close(Outcome::Succeeded).wait();
        assert_eq!(unrecorded(), before + 1);
    }

    struct Panics;

    impl AuditText for Panics {
        fn audit_text(&self, out: &mut crate::event::Text<'_>) {
            out.push_str("half of it");
            panic!("on purpose");
        }
    }

    /// Runs `work` with a draft that may panic, and returns the event that is recorded.
    async fn recorded(work: impl FnOnce(Draft)) -> Event {
        let sink = crate::sink::MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let scope = recorder.scope();
        let scope = scope
            .actor(crate::event::Actor::user("u1"))
            .organization("org_1")
            .context(crate::event::Context::new().location("203.0.113.7"));
        scope.enter(|| {
            let draft = Draft::open(Action::checked("document.delete"), Location::caller());
            let work = std::panic::AssertUnwindSafe(|| work(draft));
            drop(std::panic::catch_unwind(work));
        });
        // The last one, which records the events.
        drop(scope);
        recorder.flush(std::time::Duration::from_secs(20)).await;
        sink.events().remove(0)
    }

    fn assert_complete(event: &Event, truncated: &[&str]) {
        assert_eq!(event.truncated().collect::<Vec<_>>(), truncated);
        assert_eq!(event.actor().map(|actor| actor.id()), Some("u1"));
        assert_eq!(event.organization(), Some("org_1"));
        assert!(event.has_location());
    }

    #[tokio::test]
    async fn fault_55_a_target_that_panics_leaves_an_event_with_everything_else() {
        let event = recorded(|mut draft| {
            draft.set_unresolved_targets(&["folder"]);
            crate::private::target(&mut draft, "document", &Panics);
        });
        let event = event.await;
        assert_complete(&event, &["target.id"]);
        assert_eq!(event.outcome(), Outcome::Panicked);
        let targets: Vec<_> = event.targets().map(|target| target.kind()).collect();
        assert_eq!(targets, ["folder"]);
    }

    #[tokio::test]
    async fn fault_55_a_panic_that_the_body_catches_leaves_out_only_its_field() {
        let event = recorded(|mut draft| {
            draft.metadata("before", 1);
            let caught = std::panic::AssertUnwindSafe(|| draft.deny(Panics));
            assert!(std::panic::catch_unwind(caught).is_err());
            draft.metadata("after", 2);
            draft.close(Outcome::Succeeded).wait();
        });
        let event = event.await;
        assert_complete(&event, &["error"]);
        assert!(event.metadata_value("before").is_some());
        assert!(event.metadata_value("after").is_some());
    }
}
