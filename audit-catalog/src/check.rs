//! The rules of names and limits, and those between declarations.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::constant::constant_name;
use crate::parse::{ActionDeclaration, At, Declarations, Reader};
use crate::{
    Action, Catalog, Field, Kind, MAX_KEY_LENGTH, MAX_METADATA_KEYS, RESERVED_METADATA, Target,
    nearest,
};

pub(crate) const NO_TARGETS: &str =
    "the action has no target type; name at least one, as in `targets = [\"document\"]`";

/// Checks everything, reports what is wrong, and builds the catalog as far as it is right.
pub(crate) fn declarations(declarations: Declarations, reader: &mut Reader<'_>) -> Catalog {
    let Declarations {
        actions,
        targets,
        actor,
    } = declarations;
    let actor_metadata = fields(actor, Place::Other, reader);
    let mut described: HashMap<String, Vec<Field>> = HashMap::new();
    for (name, metadata) in targets {
        type_is_used(&name, &actions, reader);
        let metadata = fields(metadata, Place::Other, reader);
        described.insert(name.value, metadata);
    }
    constants(&actions, reader);
    for action in &actions {
        name(&action.name, "an action name", reader);
        summary(action, reader);
        target_types(action, reader);
        denied(action, &actions, reader);
        not_both(action, reader);
    }
    let mut actions: Vec<Action> = actions
        .into_iter()
        .map(|action| {
            let target = |name: String| {
                let metadata = described.get(&name).cloned().unwrap_or_default();
                Target { name, metadata }
            };
            Action {
                name: action.name.value,
                summary: action.summary.map(|text| text.value),
                targets: action
                    .targets
                    .into_iter()
                    .flat_map(|list| list.value)
                    .map(|name| target(name.value))
                    .collect(),
                denied: action.denied.map(|name| name.value),
                durable: action.durable,
                coalesce: action.coalesce.and_then(|found| found.value),
                deprecated: action.deprecated,
                metadata: fields(action.metadata, Place::Event, reader),
                actor_metadata: actor_metadata.clone(),
            }
        })
        .collect();
    actions.sort_by(|a, b| a.name.cmp(&b.name));
    Catalog { actions }
}

/// Where metadata is declared; the event's own shares its room with the reserved keys.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Event,
    Other,
}

fn fields(fields: Vec<At<Field>>, place: Place, reader: &mut Reader<'_>) -> Vec<Field> {
    let (most, why) = match place {
        Place::Event => (
            MAX_METADATA_KEYS - RESERVED_METADATA.len(),
            format!(
                ", which is {MAX_METADATA_KEYS} less the {} reserved ones",
                RESERVED_METADATA.len()
            ),
        ),
        Place::Other => (MAX_METADATA_KEYS, String::new()),
    };
    if let Some(first) = fields.get(most) {
        let count = fields.len();
        reader.mistake(
            first.span.start,
            format!("{count} metadata keys; at most {most} are allowed{why}"),
        );
    }
    for field in &fields {
        let At {
            value: Field { key, .. },
            span,
        } = field;
        if key.is_empty()
            || !key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            let remedy = "a key is 1 to 40 of the characters a-z A-Z 0-9 _ -";
            reader.mistake(span.start, format!("metadata key {key:?}; {remedy}"));
        } else if key.len() > MAX_KEY_LENGTH {
            let length = key.len();
            reader.mistake(span.start, format!("metadata key `{key}` has {length} characters; at most {MAX_KEY_LENGTH} are allowed"));
        } else if place == Place::Event
            && RESERVED_METADATA
                .iter()
                .any(|(reserved, _)| reserved == key)
        {
            reader.mistake(
                span.start,
                format!(
                    "metadata key `{key}` is reserved, the framework sets it; choose another name"
                ),
            );
        }
    }
    fields.into_iter().map(|field| field.value).collect()
}

fn name(name: &At<String>, what: &str, reader: &mut Reader<'_>) {
    let text = name.value.as_str();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        let rule = "is made of the characters a-z A-Z 0-9 . _ - :";
        reader.mistake(
            name.span.start,
            format!("{what} {rule}, so {text:?} cannot hold {bad:?}"),
        );
    } else if text.is_empty() {
        reader.mistake(name.span.start, format!("{what} must not be empty"));
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !text.ends_with(|c: char| c.is_ascii_alphanumeric())
        || text.contains("..")
    {
        let rule = "begins and ends with a letter or digit, and holds no `..`";
        reader.mistake(name.span.start, format!("{what} {rule}; `{text}` does not"));
    }
}

/// Two actions of one constant could not be told apart in `action = actions::CONSTANT`.
fn constants(actions: &[ActionDeclaration], reader: &mut Reader<'_>) {
    let mut first: HashMap<String, &str> = HashMap::new();
    for At { value: name, span } in actions.iter().map(|action| &action.name) {
        let constant = constant_name(name);
        match first.get(&constant) {
            Some(other) => reader.mistake(
                span.start,
                format!("`{name}` and `{other}` would both be the constant `{constant}`; rename one of them"),
            ),
            None => {
                first.insert(constant, name);
            }
        }
    }
}

fn target_types(action: &ActionDeclaration, reader: &mut Reader<'_>) {
    let Some(types) = &action.targets else {
        reader.mistake(action.name.span.start, NO_TARGETS);
        return;
    };
    for (index, kind) in types.value.iter().enumerate() {
        name(kind, "a target type", reader);
        if types.value[..index]
            .iter()
            .any(|other| other.value == kind.value)
        {
            reader.mistake(
                kind.span.start,
                format!("target type `{}` is listed twice", kind.value),
            );
        }
    }
}

/// A description of a type that no action names is a slip of the pen: its metadata would never be
/// checked.
fn type_is_used(name: &At<String>, actions: &[ActionDeclaration], reader: &mut Reader<'_>) {
    let used = || actions.iter().flat_map(types_of);
    if !used().any(|kind| kind == name.value) {
        let hint = nearest(&name.value, used())
            .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        reader.mistake(
            name.span.start,
            format!("no action names the target type `{}`{hint}", name.value),
        );
    }
}

fn types_of(action: &ActionDeclaration) -> impl Iterator<Item = &str> {
    action
        .targets
        .iter()
        .flat_map(|list| &list.value)
        .map(|kind| kind.value.as_str())
}

fn not_both(action: &ActionDeclaration, reader: &mut Reader<'_>) {
    if let (true, Some(At { span, .. })) = (action.durable, &action.coalesce) {
        reader.mistake(
            span.start,
            "an action cannot have both `coalesce` and `durable = true`: an event that waits for its window's end would not be on disk before the operation answers; remove one",
        );
    }
}

fn denied(action: &ActionDeclaration, actions: &[ActionDeclaration], reader: &mut Reader<'_>) {
    let Some(At { value: name, span }) = &action.denied else {
        return;
    };
    if *name == action.name.value {
        reader.mistake(span.start, "`denied` names the action itself; leave it out to record denials under the same action");
        return;
    }
    let Some(other) = actions.iter().find(|other| other.name.value == *name) else {
        let hint = nearest(name, actions.iter().map(|other| other.name.value.as_str()))
            .filter(|meant| *meant != action.name.value)
            .map_or_else(
                || format!("add `[action.\"{name}\"]`"),
                |meant| format!("did you mean `{meant}`?"),
            );
        reader.mistake(
            span.start,
            format!("`denied` names `{name}`, which is not in the catalog; {hint}"),
        );
        return;
    };
    for kind in types_of(action) {
        if !types_of(other).any(|allowed| allowed == kind) {
            let remedy = format!("add it to the `targets` of `{name}`");
            reader.mistake(span.start, format!("`denied` names `{name}`, which does not allow the target type `{kind}`; {remedy}"));
        }
    }
    for key in denied_needs(action, other) {
        let remedy = format!(
            "make it optional there, or require it of `{}`",
            action.name.value
        );
        reader.mistake(
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
            reader.mistake(
                span.start,
                format!("`denied` names `{name}`, in which metadata `{key}` is a {conflict}, not a {kind}; give both the same type"),
            );
        }
    }
}

/// Metadata that the action of denials must have, and the denied action does not give.
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

fn summary(action: &ActionDeclaration, reader: &mut Reader<'_>) {
    let Some(At { value: text, span }) = &action.summary else {
        return;
    };
    let mut rest = text.as_str();
    while let Some(brace) = rest.find(['{', '}']) {
        let tail = &rest[brace..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            rest = &tail[2..];
        } else if let Some((name, after)) =
            tail.strip_prefix('{').and_then(|tail| tail.split_once('}'))
        {
            placeholder(name, action, span, reader);
            rest = after;
        } else {
            let brace = &tail[..1];
            reader.mistake(span.start, format!("the summary has a single `{brace}`; write `{brace}{brace}` for the character itself"));
            return;
        }
    }
}

fn placeholder(
    name: &str,
    action: &ActionDeclaration,
    span: &Range<usize>,
    reader: &mut Reader<'_>,
) {
    const KNOWN: [&str; 5] = ["actor", "action", "target", "targets", "organization"];
    let keys = || action.metadata.iter().map(|field| field.value.key());
    if KNOWN.contains(&name)
        || name
            .strip_prefix("metadata.")
            .is_some_and(|key| keys().any(|known| known == key))
    {
        return;
    }
    let message = match name.strip_prefix("metadata.") {
        Some(key) => {
            let hint = nearest(key, keys()).map_or_else(
                || "declare it, or remove the placeholder".to_owned(),
                |meant| format!("did you mean `{{metadata.{meant}}}`?"),
            );
            format!("the summary names metadata `{key}`, which the action does not declare; {hint}")
        }
        None => {
            let hint = nearest(name, KNOWN).map_or_else(
                || "one of `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`".to_owned(),
                |meant| format!("did you mean `{{{meant}}}`?"),
            );
            format!("unknown placeholder `{{{name}}}`; {hint}")
        }
    };
    // With escapes in the string the placeholder may not stand there letter for letter; its string
    // does.
    let written = reader
        .text
        .get(span.clone())
        .and_then(|text| text.find(&format!("{{{name}}}")));
    reader.mistake(span.start + written.unwrap_or(0), message);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Catalog, Kind, MAX_METADATA_KEYS, RESERVED_METADATA};

    fn mistakes(text: &str) -> Vec<String> {
        let error = Catalog::parse(text, "audit.toml").unwrap_err();
        error.mistakes().iter().map(ToString::to_string).collect()
    }

    fn with_keys(table: &str, keys: impl IntoIterator<Item = String>) -> String {
        let lines: String = keys
            .into_iter()
            .map(|key| format!("{key} = \"string\"\n"))
            .collect();
        format!("[action.a]\ntargets = [\"t\"]\n[{table}]\n{lines}")
    }

    #[test]
    fn all_mistakes_are_reported_at_once_in_order() {
        let text = r#"[action."document.share"]
summary = "{actor} shared {targts} with {metadata.rol}"
targets = ["document", "document", "a b"]
denied  = "document.share_denid"
[action."document.share".metadata]
role = "string"
status = "number"
"a b" = "string"
[action."document.share_denied"]
[target.documnt.metadata]
title = "strng?"
"#;
        assert_eq!(
            mistakes(text),
            [
                "2:27: unknown placeholder `{targts}`; did you mean `{targets}`?",
                "2:41: the summary names metadata `rol`, which the action does not declare; did you mean `{metadata.role}`?",
                "3:24: target type `document` is listed twice",
                "3:36: a target type is made of the characters a-z A-Z 0-9 . _ - :, so \"a b\" cannot hold ' '",
                "4:11: `denied` names `document.share_denid`, which is not in the catalog; did you mean `document.share_denied`?",
                "7:1: metadata key `status` is reserved, the framework sets it; choose another name",
                "8:1: metadata key \"a b\"; a key is 1 to 40 of the characters a-z A-Z 0-9 _ -",
                "9:9: the action has no target type; name at least one, as in `targets = [\"document\"]`",
                "10:9: no action names the target type `documnt`; did you mean `document`?",
                "11:9: unknown metadata type \"strng?\"; one of \"string\", \"number\", \"boolean\"; did you mean \"string?\"?",
            ]
        );
    }

    #[test]
    fn names_that_a_url_would_not_survive_are_refused() {
        for bad in [
            "", "a b", "a/b", "..", ".", "a..b", ".a", "a-", "ä", "a\\nb", "a\\u0007",
        ] {
            let text = format!("[action.\"{bad}\"]\ntargets = [\"t\"]");
            assert!(Catalog::parse(&text, "").is_err(), "{bad}");
        }
        for good in ["a", "document.share", "User-Created_2", "vault:kv.read"] {
            let text = format!("[action.\"{good}\"]\ntargets = [\"t\"]");
            assert!(Catalog::parse(&text, "").is_ok(), "{good}");
        }
    }

    #[test]
    fn two_actions_of_one_constant_are_refused() {
        let text = "action.\"document.delete\".targets = [\"t\"]\naction.login.targets = [\"t\"]\naction.document_delete.targets = [\"t\"]\naction.documentDelete.targets = [\"t\"]";
        assert_eq!(
            mistakes(text),
            [
                "3:8: `document_delete` and `document.delete` would both be the constant `DOCUMENT_DELETE`; rename one of them",
                "4:8: `documentDelete` and `document.delete` would both be the constant `DOCUMENT_DELETE`; rename one of them",
            ]
        );
    }

    #[test]
    fn keys_are_counted_with_the_reserved_ones_where_these_are_set() {
        let keys = |count| (0..count).map(|index| format!("k{index}"));
        let event = MAX_METADATA_KEYS - RESERVED_METADATA.len();
        assert!(Catalog::parse(&with_keys("action.a.metadata", keys(event)), "").is_ok());
        assert!(Catalog::parse(&with_keys("actor.metadata", keys(MAX_METADATA_KEYS)), "").is_ok());
        assert_eq!(
            mistakes(&with_keys("action.a.metadata", keys(event + 1))),
            [
                "44:1: 41 metadata keys; at most 40 are allowed, which is 50 less the 10 reserved ones"
            ]
        );
        assert_eq!(
            mistakes(&with_keys("target.t.metadata", keys(MAX_METADATA_KEYS + 1))),
            ["54:1: 51 metadata keys; at most 50 are allowed"]
        );
    }

    #[test]
    fn a_key_has_at_most_forty_characters() {
        assert!(Catalog::parse(&with_keys("action.a.metadata", ["k".repeat(40)]), "").is_ok());
        assert_eq!(
            mistakes(&with_keys("action.a.metadata", ["k".repeat(41)])),
            [format!(
                "4:1: metadata key `{}` has 41 characters; at most 40 are allowed",
                "k".repeat(41)
            )]
        );
    }

    #[test]
    fn reserved_keys_are_free_on_actors_and_targets() {
        assert!(Catalog::parse(&with_keys("actor.metadata", ["status".to_owned()]), "").is_ok());
        for (key, _) in RESERVED_METADATA {
            assert_eq!(
                mistakes(&with_keys("action.a.metadata", [key.to_owned()])).len(),
                1,
                "{key}"
            );
        }
    }

    #[test]
    fn a_denial_carries_what_the_action_would_have_carried() {
        let text = r#"
[action.a]
targets = ["t", "u"]
denied = "b"
metadata.n = "number"
[action.b]
targets = ["t"]
denied = "b"
metadata.n = "string"
metadata.reason = "string"
metadata.note = "string?"
"#;
        assert_eq!(
            mistakes(text),
            [
                "4:10: `denied` names `b`, which does not allow the target type `u`; add it to the `targets` of `b`",
                "4:10: `denied` names `b`, which requires metadata `reason`; make it optional there, or require it of `a`",
                "4:10: `denied` names `b`, in which metadata `n` is a string, not a number; give both the same type",
                "8:10: `denied` names the action itself; leave it out to record denials under the same action",
            ]
        );
    }

    #[test]
    fn braces_in_a_summary_are_doubled() {
        let text = |summary| format!("[action.a]\ntargets = [\"t\"]\nsummary = {summary}");
        assert!(Catalog::parse(&text("'{{{actor}}} and {organization}'"), "").is_ok());
        assert_eq!(
            mistakes(&text("'{actor'")),
            ["3:11: the summary has a single `{`; write `{{` for the character itself"]
        );
        assert_eq!(mistakes(&text("'a } b'")).len(), 1);
        assert_eq!(
            mistakes(&text("\"\\u007Bxyz}\"")),
            [
                "3:11: unknown placeholder `{xyz}`; one of `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`"
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_declared_is_found(
            actions in prop::collection::btree_map("[a-z][a-z0-9_.-]{0,8}[a-z0-9]", prop::collection::btree_map("[a-zA-Z0-9_-]{1,40}", (0..3usize, any::<bool>()), 0..6), 1..6),
        ) {
            prop_assume!(actions.keys().all(|name| !name.contains("..")));
            let constants: std::collections::BTreeSet<_> = actions.keys().map(|name| super::constant_name(name)).collect();
            prop_assume!(constants.len() == actions.len());
            let mut text = String::new();
            for (name, fields) in &actions {
                text += &format!("[action.\"{name}\"]\ntargets = [\"t\"]\n[action.\"{name}\".metadata]\n");
                for (key, (kind, optional)) in fields {
                    text += &format!("x{} = \"{}{}\"\n", &key[1..], Kind::ALL[*kind], if *optional { "?" } else { "" });
                }
            }
            // The keys got a letter in front that no reserved one has; two may now be the same.
            let Ok(catalog) = Catalog::parse(&text, "audit.toml") else {
                prop_assert!(mistakes(&text).iter().all(|mistake| mistake.contains("duplicate key")), "{:?}", mistakes(&text));
                return Ok(());
            };
            prop_assert_eq!(catalog.actions().map(|action| action.name()).collect::<Vec<_>>(), actions.keys().collect::<Vec<_>>());
            for (name, fields) in &actions {
                let action = catalog.action(name).unwrap();
                for (key, (kind, optional)) in fields {
                    let field = action.field(&format!("x{}", &key[1..])).unwrap();
                    prop_assert_eq!((field.kind(), field.is_optional()), (Kind::ALL[*kind], *optional));
                }
            }
        }
    }
}
