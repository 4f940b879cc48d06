//! The wire format of an action's schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Action, Field, Kind, RESERVED_METADATA};

impl Action {
    /// Returns the body of [`POST /audit_logs/actions/{action}/schemas`][create]:
    /// `{"actor"?, "metadata", "targets": [{"metadata"?, "type"}]}`.
    ///
    /// [create]: https://workos.com/docs/reference/audit-logs/schema/create
    ///
    /// Each `metadata` is a JSON Schema object with a type for each property. The event's own
    /// metadata contains the declared fields and the [`RESERVED_METADATA`]; `actor`, and the
    /// `metadata` of a target type, are present if the catalog declares some. Keys are in
    /// alphabetical order, so that equal actions have equal bytes.
    ///
    /// There is **no `required` list**, not even for fields that the catalog requires. The macros
    /// check required fields at compile time. A value that exists only after success, such as the
    /// id of a created row, is absent when the operation fails, and the service must not reject the
    /// event of the failure.
    ///
    /// Target types are listed as the allowed set. The service's reference does not state whether
    /// it treats the list as a set or as an exact list.
    #[must_use]
    pub fn wire_schema(&self) -> Value {
        let targets = self.targets().iter().map(|target| {
            if target.metadata().is_empty() {
                json!({ "type": target.name() })
            } else {
                json!({ "metadata": object(target.metadata().iter().map(property)), "type": target.name() })
            }
        });
        let targets: Value = targets.collect();
        let metadata = object(
            self.metadata()
                .iter()
                .map(property)
                .chain(RESERVED_METADATA),
        );
        if self.actor_metadata().is_empty() {
            json!({ "metadata": metadata, "targets": targets })
        } else {
            let actor = object(self.actor_metadata().iter().map(property));
            json!({ "actor": { "metadata": actor }, "metadata": metadata, "targets": targets })
        }
    }
}

fn property(field: &Field) -> (&str, Kind) {
    (field.key(), field.kind())
}

fn object<'a>(properties: impl Iterator<Item = (&'a str, Kind)>) -> Value {
    // Sorted here, because the order of a `serde_json` map depends on its features in the final
    // build.
    let sorted: BTreeMap<&str, Kind> = properties.collect();
    let properties: Map<String, Value> = sorted
        .into_iter()
        .map(|(key, kind)| (key.to_owned(), json!({ "type": kind.as_str() })))
        .collect();
    json!({ "properties": properties, "type": "object" })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::model::{Action, Catalog, RESERVED_METADATA};

    fn action(text: &str) -> Action {
        let catalog = Catalog::parse(text, "audit.toml").unwrap();
        catalog.actions().next().unwrap().clone()
    }

    #[test]
    fn a_schema_with_everything_is_the_golden_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/audit.toml");
        let catalog = Catalog::read(path).unwrap();
        let share = catalog.action("document.share").unwrap();
        let text = format!(
            "{}\n",
            serde_json::to_string_pretty(&share.wire_schema()).unwrap()
        );
        assert_eq!(text, include_str!("../tests/golden/document.share.json"));
    }

    #[test]
    fn undeclared_parts_are_absent() {
        let schema = action("[action.login]\ntargets = [\"user\"]").wire_schema();
        assert_eq!(schema.get("actor"), None);
        assert_eq!(schema["targets"], serde_json::json!([{ "type": "user" }]));
    }

    #[test]
    fn reserved_keys_are_allowed_and_nothing_is_required() {
        let schema = action(
            "[action.login]\ntargets = [\"user\"]\n[action.login.metadata]\nway = \"string\"",
        )
        .wire_schema();
        for (key, kind) in RESERVED_METADATA {
            assert_eq!(schema["metadata"]["properties"][key]["type"], kind.as_str());
        }
        fn mentions_required(value: &Value) -> bool {
            match value {
                Value::Object(map) => {
                    map.contains_key("required") || map.values().any(mentions_required)
                }
                Value::Array(items) => items.iter().any(mentions_required),
                _ => false,
            }
        }
        assert!(!mentions_required(&schema));
    }
}
