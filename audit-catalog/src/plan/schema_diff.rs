//! The differences between two schemas.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// One difference between a registered schema and its successor.
///
/// Displayed as one line: `+ metadata.pages: number`, `- target document`,
/// `~ metadata.role: number -> string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    place: String,
    before: Option<String>,
    after: Option<String>,
    is_type: bool,
}

/// The kind of a [`SchemaChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// A new part.
    Added,
    /// A removed part.
    Removed,
    /// A part with another definition.
    Changed,
}

impl SchemaChange {
    /// Returns the location of the difference: `target document`, `metadata.pages`,
    /// `actor.metadata.role`, `targets.document.metadata.title`; or a keyword of JSON Schema other
    /// than `type` and `properties`, as `metadata (required)`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the registered definition: a type, or JSON.
    ///
    /// `None` if there is none, and for a target type, which is only a name.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref().filter(|text| !text.is_empty())
    }

    /// Returns the new definition; see [`before`](Self::before).
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref().filter(|text| !text.is_empty())
    }

    /// Returns the kind of the change.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        }
    }

    /// Returns `true` if the new version may reject events of the registered version.
    ///
    /// That is the case if a target type is removed, or a definition changes. A removed field is no
    /// longer checked, and an added field is not required.
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

/// Returns the differences of two schemas: target types first, then event, actor and target
/// metadata.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    let (old, new) = (targets(before), targets(after));
    let presence = |is_present: bool| is_present.then(String::new);
    for name in union(&old, &new) {
        let (before, after) = (old.contains_key(name), new.contains_key(name));
        if before != after {
            changes.push(SchemaChange {
                place: format!("target {name}"),
                before: presence(before),
                after: presence(after),
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
        // The metadata of an added type is listed; that of a removed type is removed with it.
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

/// Adds the differences of two metadata schemas: properties by key, the rest by keyword.
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

/// Returns the keywords of a schema besides its properties.
///
/// `type: object` is omitted, because metadata is always an object.
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

/// Formats a property as its type if it has no other keyword, otherwise as JSON.
fn describe(property: &Value) -> String {
    match property.as_object().map(|map| (map.len(), map.get("type"))) {
        Some((1, Some(Value::String(kind)))) => kind.clone(),
        _ => canonical(property),
    }
}

/// Formats JSON with sorted keys.
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
    fn each_difference_is_a_line_and_breaking_ones_are_marked() {
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
    fn a_keyword_that_the_catalog_cannot_express_is_shown() {
        let before = json!({ "targets": [{ "type": "a" }], "metadata": { "type": "object", "properties": {}, "required": ["x"] } });
        let after = json!({ "targets": [{ "type": "a" }], "metadata": { "type": "object", "properties": {} } });
        assert_eq!(lines(before, after), ["- metadata (required): [\"x\"]"]);
    }
}
