//! The draft: an event being made, opened when an audited function is entered and closed when it is left.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::{key_error, now_millis};
use crate::{AuditText, Event, MetadataValue, Outcome, Recorder, Scope, Target};

/// Drafts for which there was no recorder, in this process.
static UNRECORDED: AtomicU64 = AtomicU64::new(0);
/// The call sites that have complained about it; at most one entry for each in the program.
static COMPLAINED: Mutex<BTreeSet<(&'static str, u32)>> = Mutex::new(BTreeSet::new());

/// How many calls of audited functions found neither a scope nor an installed recorder, in this process.
///
/// They left no event; each call site has logged one error that says what to do, unless `try_record!` told its caller. It is a count of the process because
/// there is no recorder that it could belong to.
#[must_use]
pub fn unrecorded() -> u64 {
    UNRECORDED.load(Ordering::Relaxed)
}

/// Where in the source an audited function stands. Plain data, so that a literal of it is a constant and needs no item.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct CallSite {
    /// The action, as the catalog names it.
    pub action: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    /// The types of the targets that are known only from a successful result.
    pub late: &'static [&'static str],
    /// The outcomes that leave an event; all when it is empty.
    pub on: &'static [Outcome],
    /// The action under which a denial appears, when it is another.
    pub denied: Option<&'static str>,
}

impl CallSite {
    /// The call site of an action.
    #[must_use]
    pub const fn new(action: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            action,
            file,
            line,
            late: &[],
            on: &[],
            denied: None,
        }
    }

    fn complain(&self) {
        let mut complained = COMPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.insert((self.file, self.line)) {
            drop(complained);
            tracing::error!(
                action = self.action,
                at = %format_args!("{}:{}", self.file, self.line),
                "audited function called without a recorder, so its events are not recorded: serve it behind \
                 `AuditLayer`, run it in `recorder.scope()..run(..)`, or call `recorder.install()` once at start"
            );
        }
    }
}

fn count_unrecorded() {
    UNRECORDED.fetch_add(1, Ordering::Relaxed);
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
/// Dropped unclosed it ends as `panicked` while unwinding, else as `abandoned`. Where there is no recorder its methods do
/// nothing.
#[derive(Debug)]
pub struct Draft {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    /// Where it will end. `None` only while nobody has begun: see [`Draft::defer`].
    scope: Option<Scope>,
    site: CallSite,
    /// The types of targets that nobody knows yet.
    late: &'static [&'static str],
    /// Whether the body said that this is a denial.
    denied: bool,
    /// Whether the thread was unwinding already when the function was entered, as in a `Drop`.
    unwinding: bool,
}

impl Draft {
    /// A draft that belongs to the current scope, or to the installed recorder.
    pub(crate) fn open(site: CallSite) -> Self {
        Self::try_open(site).unwrap_or_else(|| {
            site.complain();
            Self { open: None }
        })
    }

    /// A draft, unless there is no recorder; that is counted, and left to the caller to tell.
    pub(crate) fn try_open(site: CallSite) -> Option<Self> {
        let scope = Scope::current().or_else(installed);
        if scope.is_none() {
            count_unrecorded();
            return None;
        }
        Some(Self::with(site, scope))
    }

    /// A draft of a call that returns a future. The scope of whoever polls the future is not known yet, so it is open even
    /// if there is no scope here.
    pub(crate) fn defer(site: CallSite) -> Self {
        Self::with(site, Scope::current())
    }

    fn with(site: CallSite, scope: Option<Scope>) -> Self {
        let mut event = Event::begin(site.action, now_millis());
        if !site.on.is_empty() {
            event.set_on(Outcome::mask(site.on));
        }
        if let Some(scope) = &scope {
            scope.mark_audited();
        }
        Self {
            open: Some(Open {
                event,
                scope,
                site,
                late: site.late,
                denied: false,
                unwinding: std::thread::panicking(),
            }),
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

    /// Adds a target. When there are more than the service takes on one event (20), the event is split.
    pub fn target(&mut self, target: Target) {
        if let Some(event) = self.event() {
            event.push_each_target(&target);
        }
    }

    /// Adds a fact about the event, or replaces the one of that key.
    ///
    /// A key that the service would refuse, or that the framework sets, is left out of the event and listed in its
    /// `truncated`; a log line says which and why.
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

    /// Says that the operation was denied, and why, whatever the function returns. A panic or a drop still counts as such.
    ///
    /// The reason becomes the event's metadata `error`.
    pub fn deny(&mut self, reason: impl AuditText) {
        if let Some(open) = &mut self.open {
            open.denied = true;
            crate::private::text(self, "error", &reason);
        }
    }

    /// Leaves no event of this call, because nothing happened that an auditor would ask for. The call is counted in
    /// [`Stats::skipped`](crate::Stats::skipped), and the reason logged at the level `debug`.
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

    pub(crate) fn close(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some((event, scope)) = self.finish(outcome) {
            scope.ended(event);
        }
    }

    /// The event, complete but for what its scope knows.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> Option<(Event, Scope)> {
        let Open {
            mut event,
            scope,
            site,
            late,
            denied,
            ..
        } = self.open.take()?;
        let Some(scope) = scope.or_else(installed) else {
            count_unrecorded();
            site.complain();
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
        if let Some(action) = site.denied
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
        self.end(if panicked {
            Outcome::Panicked
        } else {
            Outcome::Abandoned
        });
    }
}

/// A scope of its own for an event outside any, if a recorder was installed.
fn installed() -> Option<Scope> {
    Recorder::installed().cloned().map(Scope::detached)
}

/// The draft of a future that nobody has polled. The operation has not begun, so dropping it leaves no event.
#[derive(Debug)]
pub(crate) struct Unpolled(Draft);

impl Unpolled {
    /// The first poll. The event goes where it would go if an async function began here; if nobody records here, to the
    /// scope of the call.
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
                begun.site.complain();
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

    const SITE: CallSite = CallSite::new("document.delete", "draft.rs", 1);

    #[test]
    fn without_a_recorder_nothing_is_captured_and_the_call_is_counted() {
        let before = unrecorded();
        let mut draft = Draft::open(SITE);
        assert!(!draft.is_recording());
        assert!(draft.event().is_none());
        draft.close(Outcome::Succeeded);
        assert_eq!(unrecorded(), before + 1);
    }
}
