//! The draft: an event being made, opened when an audited function is entered and closed when it is left.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::event::now_millis;
use crate::{Event, Outcome, Recorder, Scope};

/// Drafts for which there was no recorder, in this process.
static UNRECORDED: AtomicU64 = AtomicU64::new(0);

/// How many calls of audited functions found neither a scope nor an installed recorder, in this process.
///
/// They left no event; each call site has logged one error that says what to do. It is a count of the process because
/// there is no recorder that it could belong to.
#[must_use]
pub fn unrecorded() -> u64 {
    UNRECORDED.load(Ordering::Relaxed)
}

/// Where in the source an audited function stands.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallSite {
    action: &'static str,
    file: &'static str,
    line: u32,
    /// The types of the targets that are known only from a successful result.
    late: &'static [&'static str],
    complained: AtomicBool,
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
            complained: AtomicBool::new(false),
        }
    }

    /// With the types of the targets that are known only from a successful result.
    #[must_use]
    pub const fn late(self, kinds: &'static [&'static str]) -> Self {
        let Self {
            action, file, line, ..
        } = self;
        Self {
            action,
            file,
            line,
            late: kinds,
            complained: AtomicBool::new(false),
        }
    }

    fn unrecorded(&self) {
        UNRECORDED.fetch_add(1, Ordering::Relaxed);
        if !self.complained.swap(true, Ordering::Relaxed) {
            tracing::error!(
                action = self.action,
                at = %format_args!("{}:{}", self.file, self.line),
                "audited function called without a recorder, so its events are not recorded: serve it behind \
                 `AuditLayer`, run it in `recorder.scope()..run(..)`, or call `recorder.install()` once at start"
            );
        }
    }
}

/// An event being made. Dropped unclosed it ends as `panicked` while unwinding, else as `abandoned`.
#[derive(Debug)]
pub struct Draft {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    scope: Scope,
    /// The types of targets that nobody knows yet.
    late: &'static [&'static str],
    /// Whether the thread was unwinding already when the function was entered, as in a `Drop`.
    unwinding: bool,
}

impl Draft {
    /// A draft that belongs to the current scope, or to the installed recorder.
    pub(crate) fn open(site: &'static CallSite) -> Self {
        let scope =
            Scope::current().or_else(|| Recorder::installed().cloned().map(Scope::detached));
        let Some(scope) = scope else {
            site.unrecorded();
            return Self { open: None };
        };
        let event = Event::begin(site.action, now_millis());
        Self {
            open: Some(Open {
                event,
                scope,
                late: site.late,
                unwinding: std::thread::panicking(),
            }),
        }
    }

    /// Whether there is a recorder to whom the event will go. If not, nothing needs to be captured.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.open.is_some()
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
        if let Some(Open {
            mut event,
            scope,
            late,
            ..
        }) = self.open.take()
        {
            for kind in late {
                // A failed creation is still an event, of a thing that never got an id.
                event.push_target_id(kind, "unresolved");
            }
            event.set_outcome(outcome);
            scope.ended(event);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_recorder_nothing_is_captured_and_the_call_is_counted() {
        static SITE: CallSite = CallSite::new("document.delete", "draft.rs", 1);
        let before = unrecorded();
        let mut draft = Draft::open(&SITE);
        assert!(!draft.is_recording());
        assert!(draft.event().is_none());
        draft.close(Outcome::Succeeded);
        assert_eq!(unrecorded(), before + 1);
    }
}
