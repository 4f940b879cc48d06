//! The calls of an expansion: opening, describing and closing a draft.
//!
//! Each function is generic only over the user type that it renders, so that an expansion is a few
//! calls.

use std::fmt;
use std::panic::Location;

use crate::event::{AuditId, BooleanValue, NumberValue, TextValue};
use crate::scope::Principal;

use crate::catalog::Action;
use crate::delivery::DurableWait;
use crate::event::Outcome;
use crate::scope::Draft;

// An expansion passes only the arguments that most calls need, because the compiler checks each
// one. The location comes from `#[track_caller]`.

/// Opens the draft of a call; log lines name the caller's location.
#[must_use]
#[track_caller]
pub fn open(action: &'static str) -> Draft {
    open_action(Action::checked(action), Location::caller())
}

/// Opens the draft of a call that has a target: [`open`] and [`target`] in one, as most calls need
/// both.
#[must_use]
#[track_caller]
pub fn open_target<T: AuditId + ?Sized>(action: &'static str, kind: &'static str, id: &T) -> Draft {
    let mut draft = open(action);
    target(&mut draft, kind, id);
    draft
}

/// Opens the draft of an action that is chosen at run time; log lines name the location `at`.
#[must_use]
pub fn open_action(action: Action, at: &'static Location<'static>) -> Draft {
    Draft::open(action, at)
}

/// Restricts the outcomes that are recorded; without this call all are.
pub fn record_only_on(draft: &mut Draft, outcomes: &[Outcome]) {
    if let Some(event) = draft.event() {
        event.set_on(Outcome::mask(outcomes));
    }
}

/// Adds a target with the id `unresolved` for each type, unless the call succeeds.
///
/// The types are those of targets that only a successful result names; see
/// [`clear_unresolved_targets`].
pub fn add_unresolved_targets(draft: &mut Draft, kinds: &'static [&'static str]) {
    draft.set_unresolved_targets(kinds);
}

/// Sets the action under which a denial is recorded, if it is another one.
pub fn record_denials_as(draft: &mut Draft, action: &'static str) {
    draft.set_denied_action(action);
}

/// Adds a target, and returns `true` if its id is present.
pub fn target<T: AuditId + ?Sized>(draft: &mut Draft, kind: &'static str, id: &T) -> bool {
    let Some(event) = draft.event() else {
        return false;
    };
    event.push_target_id(kind, id);
    id.is_present()
}

/// Adds a target for each item of a collection.
pub fn targets<T: AuditId>(
    draft: &mut Draft,
    kind: &'static str,
    ids: impl IntoIterator<Item = T>,
) {
    if let Some(event) = draft.event() {
        for id in ids {
            event.push_each_target_id(kind, &id);
        }
    }
}

/// Sets the name of the last target.
pub fn target_name<T: AuditId + ?Sized>(draft: &mut Draft, name: &T) {
    if let Some(event) = draft.event() {
        event.name_target(name);
    }
}

/// Sets the name of the last target to the output of a value's `Display`.
pub fn target_display_name<T: fmt::Display + ?Sized>(draft: &mut Draft, name: &T) {
    if let Some(event) = draft.event() {
        event.name_target(&Displayed(name));
    }
}

// No macro generates these functions, so that compiler errors about a value show a signature.

/// Adds a text.
pub fn text<T: TextValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.entry(key));
    }
}

/// Adds a text to the last target.
pub fn target_text<T: TextValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.target_entry(key));
    }
}

/// Adds a number.
pub fn number<T: NumberValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.entry(key));
    }
}

/// Adds a number to the last target.
pub fn target_number<T: NumberValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.target_entry(key));
    }
}

/// Adds a truth value.
pub fn boolean<T: BooleanValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.entry(key));
    }
}

/// Adds a truth value to the last target.
pub fn target_boolean<T: BooleanValue + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    if let Some(event) = draft.event() {
        value.append(event.target_entry(key));
    }
}

/// Adds the output of a value's `Display`.
pub fn display<T: fmt::Display + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    text(draft, key, &Displayed(value));
}

/// Adds the output of a value's `Display` to the last target.
pub fn target_display<T: fmt::Display + ?Sized>(draft: &mut Draft, key: &'static str, value: &T) {
    target_text(draft, key, &Displayed(value));
}

struct Displayed<'a, T: ?Sized>(&'a T);

impl<T: fmt::Display + ?Sized> crate::event::AuditText for Displayed<'_, T> {
    fn audit_text(&self, out: &mut crate::event::Text<'_>) {
        use fmt::Write as _;
        // Writing to a text never fails, so an error can only come from the value's own `Display`;
        // the part that it wrote before is kept.
        let _ = write!(out, "{}", self.0);
    }
}

/// Sets the actor, and the organization if the principal knows it; both override the scope's.
pub fn actor<P: Principal + ?Sized>(draft: &mut Draft, principal: &P) {
    if let Some(event) = draft.event() {
        event.set_actor(&principal.actor());
        if let Some(organization) = principal.organization() {
            event.set_organization(|out| out.push_str(organization.as_str()));
        }
    }
}

/// Sets the organization whose log gets the event; it overrides the scope's.
pub fn organization<T: AuditId + ?Sized>(draft: &mut Draft, id: &T) {
    if let Some(event) = draft.event()
        && id.is_present()
    {
        event.set_organization(|out| id.write_id(out));
    }
}

/// Removes the unresolved targets, because the call succeeded and its result names them.
pub fn clear_unresolved_targets(draft: &mut Draft) {
    draft.resolve();
}

/// Closes the draft of a call that returned.
pub fn close(draft: Draft, outcome: Outcome) {
    // There is no wait for an event that is not durable.
    drop(draft.close(outcome));
}

/// Makes the event durable: it is on disk before the caller continues.
pub fn make_durable(draft: &mut Draft) {
    draft.set_durable();
}

/// Closes the draft of a durable event, and returns the wait for its write.
///
/// The wait is empty if the scope waits instead.
pub fn close_durable(draft: Draft, outcome: Outcome) -> DurableWait {
    draft.close(outcome)
}

/// Marks the current request or job as one that requires no event, with the reason.
pub fn exempt(reason: &'static str) {
    // Outside of any scope, no missing event would be reported.
    if let Some(scope) = crate::scope::Scope::current() {
        scope.exempt(reason);
    }
}

/// Calls the body of a function that is not async.
///
/// The bound `FnOnce` lets the body move, borrow and return values that an immediately called
/// closure could not.
pub fn call_body<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Fixes the return type of a body, as the operand of a `return` that is never executed.
pub fn return_type_hint<T>() -> T {
    std::process::abort()
}

/// Moves an argument into the body that mentions it here, so that it is dropped before the event
/// closes.
pub fn move_into_body<T: ?Sized>(_: &T) {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Actor;
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    #[tokio::test]
    async fn draft_opened_for_an_action_belongs_to_the_scope() {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let names = ["document.delete", "document.share"];
        let scope = recorder.scope().actor(Actor::user("u1"));
        let run = async {
            for name in names {
                let mut draft = open_action(Action::checked(name), Location::caller());
                target(&mut draft, "document", &1);
                close(draft, Outcome::Succeeded);
            }
        };
        scope.organization("org_1").run(run).await;
        recorder.flush(Duration::from_secs(5)).await;
        let events = sink.events();
        let found: Vec<_> = events.iter().map(crate::event::Event::action).collect();
        assert_eq!(found, names);
        assert!(
            events
                .iter()
                .all(|event| event.actor().unwrap().id() == "u1")
        );
    }
}
