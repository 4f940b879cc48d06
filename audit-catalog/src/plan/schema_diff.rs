//! What differs between two schemas, place by place.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// One difference between a registered schema and the one that would follow it.
///
/// Shown as one line: `+ metadata.pages: number`, `- target document`,
/// `~ metadata.role: number -> string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    place: String,
    before: Option<String>,
    after: Option<String>,
    is_type: bool,
}

/// Which way a [`SchemaChange`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It is there in another form.
    Changed,
}

impl SchemaChange {
    /// What differs: `target document`, `metadata.pages`, `actor.metadata.role`,
    /// `targets.document.metadata.title`; or a keyword of JSON Schema other than `type` and
    /// `properties`, as `metadata (required)`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is registered: a type, or JSON. `None` where nothing is, and for a target type, which
    /// has no more to it.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref().filter(|text| !text.is_empty())
    }

    /// What would be.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref().filter(|text| !text.is_empty())
    }

    /// Whether something came, went, or became something else.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        }
    }

    /// Whether events as they are made today may be refused under the new version: a target type
    /// went, or what a value has to be is another. A field that goes is free of form then, and one
    /// that comes is not required.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        match self.kind() {
            ChangeKind::Added => false,
            ChangeKind::Removed => self.is_type,
            ChangeKind::Changed => true,
        }
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind() {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        write!(f, "{sign} {}", self.place)?;
        match (self.before(), self.after()) {
            (Some(before), Some(after)) => write!(f, ": {before} -> {after}"),
            (Some(text), None) | (None, Some(text)) => write!(f, ": {text}"),
            (None, None) => Ok(()),
        }
    }
}

/// The differences of two schemas, in the order of their places: target types, then event, actor
/// and target metadata.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    let (old, new) = (targets(before), targets(after));
    let word = |there: bool| there.then(String::new);
    for name in union(&old, &new) {
        let (before, after) = (old.contains_key(name), new.contains_key(name));
        if before != after {
            changes.push(SchemaChange {
                place: format!("target {name}"),
                before: word(before),
                after: word(after),
                is_type: true,
            });
        }
    }
    metadata(
        &mut changes,
        "metadata",
        before.get("metadata"),
        after.get("metadata"),
    );
    let actor = |schema: &'_ Value| schema.get("actor")?.get("metadata").cloned();
    let (old_actor, new_actor) = (actor(before), actor(after));
    metadata(
        &mut changes,
        "actor.metadata",
        old_actor.as_ref(),
        new_actor.as_ref(),
    );
    for (name, new) in &new {
        // The metadata of a type that comes is listed with it; that of a type that goes is gone
        // with it.
        let old = old.get(name).copied().flatten();
        metadata(&mut changes, &format!("targets.{name}.metadata"), old, *new);
    }
    changes
}

type Targets<'a> = BTreeMap<&'a str, Option<&'a Value>>;

fn targets(schema: &Value) -> Targets<'_> {
    let targets = schema.get("targets").and_then(Value::as_array);
    let named = targets.into_iter().flatten().filter_map(|target| {
        let name = target.get("type")?.as_str()?;
        Some((name, target.get("metadata")))
    });
    named.collect()
}

fn union<'a, V, W>(old: &BTreeMap<&'a str, V>, new: &BTreeMap<&'a str, W>) -> Vec<&'a str> {
    let mut names: Vec<_> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The differences of two metadata schemas: their properties by key, everything else by keyword.
fn metadata(
    changes: &mut Vec<SchemaChange>,
    place: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    let (old_properties, new_properties) = (properties(old), properties(new));
    for key in union(&old_properties, &new_properties) {
        let [before, after] = [&old_properties, &new_properties]
            .map(|properties| properties.get(key).map(|property| describe(property)));
        if before != after {
            changes.push(change(format!("{place}.{key}"), before, after, false));
        }
    }
    let (old_keywords, new_keywords) = (keywords(old), keywords(new));
    for keyword in union(&old_keywords, &new_keywords) {
        let [before, after] = [&old_keywords, &new_keywords]
            .map(|keywords| keywords.get(keyword).map(|value| canonical(value)));
        if before != after {
            changes.push(change(format!("{place} ({keyword})"), before, after, false));
        }
    }
}

fn change(
    place: String,
    before: Option<String>,
    after: Option<String>,
    is_type: bool,
) -> SchemaChange {
    SchemaChange {
        place,
        before,
        after,
        is_type,
    }
}

fn properties(schema: Option<&Value>) -> BTreeMap<&str, &Value> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    entries(properties)
}

/// What a schema says beside its properties. `type: object` is what metadata is anyway.
fn keywords(schema: Option<&Value>) -> BTreeMap<&str, &Value> {
    let mut keywords = entries(schema.and_then(Value::as_object));
    keywords.remove("properties");
    keywords.retain(|keyword, value| *keyword != "type" || *value != "object");
    keywords
}

fn entries(map: Option<&Map<String, Value>>) -> BTreeMap<&str, &Value> {
    let entries = map.into_iter().flatten();
    entries.map(|(key, value)| (key.as_str(), value)).collect()
}

/// A property as its type, when it is nothing else, or as JSON.
fn describe(property: &Value) -> String {
    match property.as_object().map(|map| (map.len(), map.get("type"))) {
        Some((1, Some(Value::String(kind)))) => kind.clone(),
        _ => canonical(property),
    }
}

/// JSON in which the order of keys does not show.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = entries(Some(map))
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key), canonical(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(before: Value, after: Value) -> Vec<String> {
        let mark = |change: &SchemaChange| if change.is_breaking() { " !" } else { "" };
        changes(&before, &after)
            .iter()
            .map(|change| format!("{change}{}", mark(change)))
            .collect()
    }

    #[test]
    fn each_place_is_a_line_and_what_may_refuse_events_is_marked() {
        let before = json!({
            "targets": [{ "type": "old" }, { "type": "kept", "metadata": { "type": "object", "properties": { "a": { "type": "string" } } } }],
            "metadata": { "type": "object", "properties": { "gone": { "type": "string" }, "role": { "type": "number" } } },
        });
        let after = json!({
            "targets": [{ "type": "kept" }, { "type": "new" }],
            "metadata": { "type": "object", "properties": { "role": { "type": "string" }, "pages": { "type": "number" } } },
            "actor": { "metadata": { "type": "object", "properties": { "role": { "type": "string" } } } },
        });
        assert_eq!(
            lines(before, after),
            [
                "+ target new",
                "- target old !",
                "- metadata.gone: string",
                "+ metadata.pages: number",
                "~ metadata.role: number -> string !",
                "+ actor.metadata.role: string",
                "- targets.kept.metadata.a: string",
            ]
        );
    }

    #[test]
    fn order_is_no_difference() {
        let before = json!({ "targets": [{ "type": "a" }, { "type": "b" }], "metadata": { "properties": { "x": { "type": "string", "maxLength": 3 } } } });
        let after = json!({ "metadata": { "type": "object", "properties": { "x": { "maxLength": 3, "type": "string" } } }, "targets": [{ "type": "b" }, { "type": "a" }] });
        assert_eq!(lines(before, after), [""; 0]);
    }

    #[test]
    fn what_this_catalog_cannot_say_is_shown_as_a_keyword() {
        let before = json!({ "targets": [{ "type": "a" }], "metadata": { "type": "object", "properties": {}, "required": ["x"] } });
        let after = json!({ "targets": [{ "type": "a" }], "metadata": { "type": "object", "properties": {} } });
        assert_eq!(lines(before, after), ["- metadata (required): [\"x\"]"]);
    }
}
