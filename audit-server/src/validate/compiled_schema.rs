//! Validation of an event against the schema of its action.

use std::collections::BTreeMap;

use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use super::definition::Definition;
use super::event::EventForm;
use super::json_schema::build;
use super::violation::Violation;

/// A compiled schema version.
///
/// The schema's `targets` are a whitelist: an event may have any number of targets of each listed
/// type, in any order, and no other type. Metadata without a schema is free-form. Absent metadata
/// is checked as an empty object, so that `required` applies to it.
#[derive(Debug)]
pub(crate) struct CompiledSchema {
    actor: Option<Validator>,
    targets: BTreeMap<String, Option<Validator>>,
    metadata: Option<Validator>,
}

impl CompiledSchema {
    /// # Errors
    /// A metadata schema is invalid; [`read_definition`](super::read_definition) rejects such a one
    /// before it is stored.
    pub(crate) fn new(definition: &Definition) -> Result<Self, ValidationError<'static>> {
        Ok(Self {
            actor: definition
                .actor
                .as_ref()
                .map(|actor| build(&actor.metadata))
                .transpose()?,
            targets: definition
                .targets
                .iter()
                .map(|target| {
                    Ok((
                        target.kind.clone(),
                        target.metadata.as_ref().map(build).transpose()?,
                    ))
                })
                .collect::<Result<_, ValidationError<'static>>>()?,
            metadata: definition.metadata.as_ref().map(build).transpose()?,
        })
    }

    /// Returns every violation of this schema, in the order of the event.
    pub(crate) fn check(&self, form: &EventForm<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        check_metadata(
            "/actor/metadata",
            self.actor.as_ref(),
            form.actor.metadata,
            &mut violations,
        );
        for (index, target) in form.targets.iter().enumerate() {
            match self.targets.get(target.kind) {
                Some(validator) => {
                    check_metadata(
                        &format!("/targets/{index}/metadata"),
                        validator.as_ref(),
                        target.metadata,
                        &mut violations,
                    );
                }
                None => {
                    let known: Vec<&str> = self.targets.keys().map(String::as_str).collect();
                    let reason = format!(
                        "the type `{}` is not in the schema, which allows {}",
                        target.kind,
                        known.join(", ")
                    );
                    violations.push(Violation::new(format!("/targets/{index}/type"), reason));
                }
            }
        }
        check_metadata(
            "/metadata",
            self.metadata.as_ref(),
            form.metadata,
            &mut violations,
        );
        violations
    }
}

fn check_metadata(
    at: &str,
    validator: Option<&Validator>,
    metadata: Option<&Map<String, Value>>,
    violations: &mut Vec<Violation>,
) {
    let Some(validator) = validator else {
        return;
    };
    let instance = Value::Object(metadata.cloned().unwrap_or_default());
    for error in validator.iter_errors(&instance) {
        violations.push(Violation::new(
            format!("{at}{}", error.instance_path().as_str()),
            &error,
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::definition::read_definition;
    use super::super::event::read_event;
    use super::super::event::tests::body;
    use super::*;

    fn paths(definition: Value, change: impl FnOnce(&mut Value)) -> Vec<String> {
        let schema = CompiledSchema::new(&read_definition(&definition).unwrap()).unwrap();
        let mut body = body();
        change(&mut body["event"]);
        schema
            .check(&read_event(&body).unwrap())
            .into_iter()
            .map(|violation| violation.instance_path)
            .collect()
    }

    #[test]
    fn metadata_without_a_schema_is_free_form() {
        assert_eq!(
            paths(json!({ "targets": [{ "type": "team" }] }), |_| ()),
            [""; 0]
        );
    }

    #[test]
    fn targets_are_a_whitelist_in_any_number_and_order() {
        let definition = json!({ "targets": [{ "type": "user" }, { "type": "team" }] });
        let target = |kind: &str| json!({ "id": "x", "type": kind });
        let several = json!([target("team"), target("team"), target("user")]);
        assert_eq!(
            paths(definition.clone(), |event| event["targets"] = several),
            [""; 0]
        );
        let unknown = json!([target("team"), target("teem"), target("usr")]);
        assert_eq!(
            paths(definition, |event| event["targets"] = unknown),
            ["/targets/1/type", "/targets/2/type"]
        );
    }

    #[test]
    fn each_metadata_object_is_checked_against_its_own_schema() {
        let wrong =
            |key: &str| json!({ "type": "object", "properties": { key: { "type": "boolean" } } });
        let definition = json!({
            "targets": [{ "type": "team", "metadata": wrong("size") }],
            "actor": { "metadata": wrong("role") },
            "metadata": wrong("plan"),
        });
        assert_eq!(
            paths(definition, |_| ()),
            [
                "/actor/metadata/role",
                "/targets/0/metadata/size",
                "/metadata/plan"
            ]
        );
    }

    #[test]
    fn missing_or_unexpected_key_points_at_its_object() {
        let definition = json!({
            "targets": [{ "type": "team" }],
            "metadata": { "type": "object", "required": ["cost"], "additionalProperties": false }
        });
        assert_eq!(
            paths(definition.clone(), |_| ()),
            ["/metadata", "/metadata"]
        );
        let without = |event: &mut Value| {
            event.as_object_mut().unwrap().remove("metadata");
        };
        assert_eq!(
            paths(definition, without),
            ["/metadata"],
            "absent metadata is an empty object"
        );
    }
}
