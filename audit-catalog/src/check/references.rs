//! The rules between declarations of one file.

use std::collections::{BTreeMap, HashMap};

use crate::constant::constant_name;
use crate::declarations::{ActionDeclaration, At, Mistakes};
use crate::model::{Field, Kind};
use crate::nearest::nearest;

/// Two actions with the same constant would be ambiguous in `action = actions::CONSTANT`.
pub(super) fn constants(actions: &[ActionDeclaration], mistakes: &mut Mistakes<'_>) {
    let mut first: HashMap<String, &str> = HashMap::new();
    for At { value: name, span } in actions.iter().map(|action| &action.name) {
        let constant = constant_name(name);
        match first.get(&constant) {
            Some(other) => mistakes.add(
                span.start,
                format!("`{name}` and `{other}` would both be the constant `{constant}`; rename one of them"),
            ),
            None => {
                first.insert(constant, name);
            }
        }
    }
}

/// A described type that no action names is reported as a typing mistake: its metadata would never
/// be checked.
pub(super) fn type_is_used(
    name: &At<String>,
    actions: &[ActionDeclaration],
    mistakes: &mut Mistakes<'_>,
) {
    let used = || actions.iter().flat_map(types_of);
    if !used().any(|kind| kind == name.value) {
        let hint = nearest(&name.value, used())
            .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        mistakes.add(
            name.span.start,
            format!("no action names the target type `{}`{hint}", name.value),
        );
    }
}

pub(super) fn coalesced_or_durable(action: &ActionDeclaration, mistakes: &mut Mistakes<'_>) {
    if let (true, Some(At { span, .. })) = (action.durable, &action.coalesce) {
        mistakes.add(
            span.start,
            "an action cannot have both `coalesce` and `durable = true`: an event that is held until its window closes would not be on disk before the operation returns; remove one",
        );
    }
}

pub(super) fn denied(
    action: &ActionDeclaration,
    actions: &[ActionDeclaration],
    mistakes: &mut Mistakes<'_>,
) {
    let Some(At { value: name, span }) = &action.denied else {
        return;
    };
    if *name == action.name.value {
        mistakes.add(span.start, "`denied` names the action itself; leave it out to record denials under the same action");
        return;
    }
    let Some(other) = actions.iter().find(|other| other.name.value == *name) else {
        let hint = nearest(name, actions.iter().map(|other| other.name.value.as_str()))
            .filter(|meant| *meant != action.name.value)
            .map_or_else(
                || format!("add `[action.\"{name}\"]`"),
                |meant| format!("did you mean `{meant}`?"),
            );
        mistakes.add(
            span.start,
            format!("`denied` names `{name}`, which is not in the catalog; {hint}"),
        );
        return;
    };
    for kind in types_of(action) {
        if !types_of(other).any(|allowed| allowed == kind) {
            let remedy = format!("add it to the `targets` of `{name}`");
            mistakes.add(span.start, format!("`denied` names `{name}`, which does not allow the target type `{kind}`; {remedy}"));
        }
    }
    for key in denied_needs(action, other) {
        let remedy = format!(
            "make it optional there, or require it of `{}`",
            action.name.value
        );
        mistakes.add(
            span.start,
            format!("`denied` names `{name}`, which requires metadata `{key}`; {remedy}"),
        );
    }
    let kinds: BTreeMap<&str, Kind> = other
        .metadata
        .iter()
        .map(|field| (field.value.key(), field.value.kind()))
        .collect();
    for Field { key, kind, .. } in action.metadata.iter().map(|field| &field.value) {
        if let Some(conflict) = kinds.get(key.as_str()).filter(|other| *other != kind) {
            mistakes.add(
                span.start,
                format!("`denied` names `{name}`, in which metadata `{key}` is a {conflict}, not a {kind}; give both the same type"),
            );
        }
    }
}

/// Returns the metadata that the denial's action requires and the denied action does not provide.
fn denied_needs<'a>(
    action: &'a ActionDeclaration,
    other: &'a ActionDeclaration,
) -> impl Iterator<Item = &'a str> {
    let given = |key: &str| {
        let mut fields = action.metadata.iter().map(|field| &field.value);
        fields.any(|field| field.key() == key && !field.is_optional())
    };
    let fields = other.metadata.iter().map(|field| &field.value);
    fields
        .filter(move |field| !field.is_optional() && !given(field.key()))
        .map(Field::key)
}

fn types_of(action: &ActionDeclaration) -> impl Iterator<Item = &str> {
    action
        .targets
        .iter()
        .flat_map(|list| &list.value)
        .map(|kind| kind.value.as_str())
}
