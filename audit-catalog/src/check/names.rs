//! The rules for names of actions, target types and metadata keys, and their limits.

use crate::declarations::{ActionDeclaration, At, Mistakes, NO_TARGETS};
use crate::model::{Field, MAX_KEY_LENGTH, MAX_METADATA_KEYS, RESERVED_METADATA};

/// The owner of metadata; an event's metadata shares its limit with the reserved keys.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum MetadataOwner {
    Event,
    Other,
}

pub(super) fn fields(
    fields: Vec<At<Field>>,
    owner: MetadataOwner,
    mistakes: &mut Mistakes<'_>,
) -> Vec<Field> {
    let (most, why) = match owner {
        MetadataOwner::Event => (
            MAX_METADATA_KEYS - RESERVED_METADATA.len(),
            format!(
                ", which is {MAX_METADATA_KEYS} less the {} reserved ones",
                RESERVED_METADATA.len()
            ),
        ),
        MetadataOwner::Other => (MAX_METADATA_KEYS, String::new()),
    };
    if let Some(first) = fields.get(most) {
        let count = fields.len();
        mistakes.add(
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
            mistakes.add(span.start, format!("metadata key {key:?}; {remedy}"));
        } else if key.len() > MAX_KEY_LENGTH {
            let length = key.len();
            mistakes.add(span.start, format!("metadata key `{key}` has {length} characters; at most {MAX_KEY_LENGTH} are allowed"));
        } else if owner == MetadataOwner::Event
            && RESERVED_METADATA
                .iter()
                .any(|(reserved, _)| reserved == key)
        {
            mistakes.add(
                span.start,
                format!(
                    "metadata key `{key}` is reserved, the framework sets it; choose another name"
                ),
            );
        }
    }
    fields.into_iter().map(|field| field.value).collect()
}

pub(super) fn name(name: &At<String>, what: &str, mistakes: &mut Mistakes<'_>) {
    let text = name.value.as_str();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        let rule = "is made of the characters a-z A-Z 0-9 . _ - :";
        mistakes.add(
            name.span.start,
            format!("{what} {rule}, so {text:?} cannot hold {bad:?}"),
        );
    } else if text.is_empty() {
        mistakes.add(name.span.start, format!("{what} must not be empty"));
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !text.ends_with(|c: char| c.is_ascii_alphanumeric())
        || text.contains("..")
    {
        let rule = "begins and ends with a letter or digit, and holds no `..`";
        mistakes.add(name.span.start, format!("{what} {rule}; `{text}` does not"));
    }
}

pub(super) fn target_types(action: &ActionDeclaration, mistakes: &mut Mistakes<'_>) {
    let Some(types) = &action.targets else {
        mistakes.add(action.name.span.start, NO_TARGETS);
        return;
    };
    for (index, kind) in types.value.iter().enumerate() {
        name(kind, "a target type", mistakes);
        if types.value[..index]
            .iter()
            .any(|other| other.value == kind.value)
        {
            mistakes.add(
                kind.span.start,
                format!("target type `{}` is listed twice", kind.value),
            );
        }
    }
}
