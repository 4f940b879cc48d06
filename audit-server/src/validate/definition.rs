//! Parsing of the schema of an action at its registration.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json_schema::build;
use super::json_type::json_type;

/// A schema as it is stored and returned; absent parts stay absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Definition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<ActorDefinition>,
    pub(crate) targets: Vec<TargetDefinition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActorDefinition {
    pub(crate) metadata: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetDefinition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
}

/// Parses the body of a request that registers a schema, and checks that each metadata schema is a
/// valid JSON Schema.
///
/// `null` is rejected for an optional field, as in an event. A repeated target type is rejected
/// too, since it would be unclear which entry an event is checked against. Unknown fields are
/// ignored.
///
/// # Errors
/// One sentence that lists every mistake.
pub(crate) fn read_definition(body: &Value) -> Result<Definition, String> {
    let Value::Object(root) = body else {
        return Err(format!(
            "the body has to be an object with `targets`, not {}",
            json_type(body)
        ));
    };
    let mut errors = Vec::new();
    let targets = read_targets(root, &mut errors);
    let actor = match root.get("actor") {
        None => None,
        Some(Value::Object(actor)) => {
            let metadata = read_metadata(actor, "actor.metadata", &mut errors);
            if !actor.contains_key("metadata") {
                errors.push("`actor.metadata` is required where there is an `actor`".to_owned());
            }
            metadata.map(|metadata| ActorDefinition { metadata })
        }
        Some(other) => {
            errors.push(format!(
                "`actor` has to be an object, not {}",
                json_type(other)
            ));
            None
        }
    };
    let metadata = read_metadata(root, "metadata", &mut errors);
    if errors.is_empty() {
        Ok(Definition {
            actor,
            targets,
            metadata,
        })
    } else {
        Err(errors.join("; "))
    }
}

fn read_targets(root: &Map<String, Value>, errors: &mut Vec<String>) -> Vec<TargetDefinition> {
    let targets = match root.get("targets") {
        Some(Value::Array(targets)) if !targets.is_empty() => targets.as_slice(),
        Some(Value::Array(_)) => {
            errors.push("`targets` is empty; at least one target type is required".to_owned());
            &[]
        }
        Some(other) => {
            errors.push(format!(
                "`targets` has to be an array, not {}",
                json_type(other)
            ));
            &[]
        }
        None => {
            errors.push("`targets` is required".to_owned());
            &[]
        }
    };
    let mut definitions = Vec::with_capacity(targets.len());
    let mut seen = BTreeSet::new();
    for (index, target) in targets.iter().enumerate() {
        let Value::Object(target) = target else {
            errors.push(format!(
                "`targets.{index}` has to be an object, not {}",
                json_type(target)
            ));
            continue;
        };
        let metadata = read_metadata(target, &format!("targets.{index}.metadata"), errors);
        match target.get("type") {
            Some(Value::String(kind)) if kind.trim().is_empty() => {
                errors.push(format!("`targets.{index}.type` is blank"))
            }
            Some(Value::String(kind)) if !seen.insert(kind) => {
                errors.push(format!("`targets.{index}.type` repeats the type `{kind}`; one entry serves several targets of a type"));
            }
            Some(Value::String(kind)) => definitions.push(TargetDefinition {
                kind: kind.clone(),
                metadata,
            }),
            Some(other) => errors.push(format!(
                "`targets.{index}.type` has to be a string, not {}",
                json_type(other)
            )),
            None => errors.push(format!("`targets.{index}.type` is required")),
        }
    }
    definitions
}

fn read_metadata(
    parent: &Map<String, Value>,
    field: &str,
    errors: &mut Vec<String>,
) -> Option<Value> {
    let schema = parent.get("metadata")?;
    if !schema.is_object() {
        errors.push(format!(
            "`{field}` has to be a JSON Schema object, not {}",
            json_type(schema)
        ));
        return None;
    }
    if let Err(error) = build(schema) {
        errors.push(format!("`{field}` is not a valid JSON Schema: {error}"));
        return None;
    }
    Some(schema.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(body: Value) -> String {
        read_definition(&body).unwrap_err()
    }

    #[test]
    fn documented_example_round_trips() {
        let body = json!({
            "targets": [{ "type": "invoice", "metadata": { "type": "object", "properties": { "cost": { "type": "number" } } } }],
            "actor": { "metadata": { "type": "object", "properties": { "role": { "type": "string" } } } },
            "metadata": { "type": "object", "properties": { "transactionId": { "type": "string" } } }
        });
        assert_eq!(
            serde_json::to_value(read_definition(&body).unwrap()).unwrap(),
            body
        );
    }

    #[test]
    fn absent_parts_stay_absent() {
        let body = json!({ "targets": [{ "type": "team" }] });
        assert_eq!(
            serde_json::to_value(read_definition(&body).unwrap()).unwrap(),
            body
        );
    }

    #[test]
    fn targets_are_required_and_not_empty() {
        assert_eq!(error(json!({})), "`targets` is required");
        assert!(error(json!({ "targets": [] })).contains("empty"));
        assert!(error(json!({ "targets": null })).contains("not null"));
        assert!(error(json!({ "targets": [{}] })).contains("`targets.0.type` is required"));
        assert!(
            error(json!({ "targets": [{ "type": "a" }, { "type": "a" }] })).contains("repeats")
        );
        assert!(error(json!([])).contains("not an array"));
    }

    #[test]
    fn actor_requires_its_metadata() {
        assert!(
            error(json!({ "targets": [{ "type": "a" }], "actor": {} }))
                .contains("`actor.metadata` is required")
        );
    }

    #[test]
    fn metadata_schema_has_to_be_a_json_schema() {
        let body = |schema: Value| json!({ "targets": [{ "type": "a", "metadata": schema }] });
        assert!(
            error(body(json!({ "type": "text" })))
                .contains("`targets.0.metadata` is not a valid JSON Schema")
        );
        assert!(error(body(json!(true))).contains("JSON Schema object"));
        assert!(
            error(body(json!({ "$ref": "https://example.com/schema.json" })))
                .contains("not a valid")
        );
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let text = error(
            json!({ "targets": [{ "type": 1 }], "actor": null, "metadata": { "type": "text" } }),
        );
        assert_eq!(text.matches("; ").count(), 2, "{text}");
    }
}
