//! The form of a request to create an event: required fields and types.
//!
//! Undocumented fields are ignored. `null` is rejected wherever a value is expected, even for an
//! optional field: whether the service accepts it is undocumented, the official SDKs never send it,
//! and a request that passes here should pass there. `required` is the only documented code;
//! `invalid_type` and `invalid_format` are our own.

use serde_json::{Map, Value};

use super::json_type::json_type;
use crate::timestamp::parse_utc_date_time;

/// The parts of a well-formed request.
#[derive(Debug)]
pub(crate) struct EventForm<'a> {
    pub(crate) organization_id: &'a str,
    pub(crate) action: &'a str,
    /// `Some(None)` is an integer that no version can have.
    pub(crate) version: Option<Option<i64>>,
    pub(crate) metadata: Option<&'a Map<String, Value>>,
    pub(crate) actor: Party<'a>,
    pub(crate) targets: Vec<Party<'a>>,
}

/// The actor or a target.
#[derive(Debug)]
pub(crate) struct Party<'a> {
    pub(crate) kind: &'a str,
    pub(crate) metadata: Option<&'a Map<String, Value>>,
}

/// One mistake in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormError {
    pub(crate) code: &'static str,
    /// A dotted path from the root of the body, such as `event.targets.0.id`.
    pub(crate) field: String,
    /// A sentence for a developer; not part of the response.
    pub(crate) reason: String,
}

/// Parses a body.
///
/// # Errors
/// Every mistake in the form, in the order of the API reference.
pub(crate) fn read_event(body: &Value) -> Result<EventForm<'_>, Vec<FormError>> {
    let mut reader = FormReader { errors: Vec::new() };
    let form = reader.request(body);
    match form {
        Some(form) if reader.errors.is_empty() => Ok(form),
        _ => Err(reader.errors),
    }
}

/// Collects the errors while parsing. A method that returns `None` for a required value has added
/// at least one error.
struct FormReader {
    errors: Vec<FormError>,
}

impl FormReader {
    fn request<'a>(&mut self, body: &'a Value) -> Option<EventForm<'a>> {
        let Some(root) = body.as_object() else {
            // A body that is not an object lacks every field.
            self.required::<()>("organization_id");
            return self.required("event");
        };
        let organization_id = self.text(root, "", "organization_id");
        let event = match root.get("event") {
            None if root.contains_key("action") => {
                self.add(
                    "required",
                    "event".to_owned(),
                    "the fields of the event belong inside `event`, next to `organization_id`",
                );
                None
            }
            _ => self.object(root, "", "event"),
        }?;
        let action = self.action(event);
        self.occurred_at(event);
        let version = self.version(event);
        let actor = self
            .object(event, "event.", "actor")
            .and_then(|actor| self.party(actor, "event.actor."));
        let targets = self.targets(event);
        if let Some(context) = self.object(event, "event.", "context") {
            self.text(context, "event.context.", "location");
            self.optional_text(context, "event.context.", "user_agent");
        }
        let metadata = self.optional_object(event, "event.", "metadata");
        Some(EventForm {
            organization_id: organization_id?,
            action: action?,
            version,
            metadata,
            actor: actor?,
            targets: targets?,
        })
    }

    fn party<'a>(&mut self, party: &'a Map<String, Value>, at: &str) -> Option<Party<'a>> {
        let id = self.text(party, at, "id");
        let kind = self.text(party, at, "type");
        self.optional_text(party, at, "name");
        let metadata = self.optional_object(party, at, "metadata");
        id.and(kind).map(|kind| Party { kind, metadata })
    }

    fn targets<'a>(&mut self, event: &'a Map<String, Value>) -> Option<Vec<Party<'a>>> {
        let targets = match event.get("targets") {
            None => return self.required("event.targets"),
            Some(Value::Array(targets)) => targets,
            Some(other) => return self.wrong_type("event.targets".to_owned(), "an array", other),
        };
        let mut parties = Vec::with_capacity(targets.len());
        for (index, target) in targets.iter().enumerate() {
            let at = format!("event.targets.{index}");
            match target {
                Value::Object(target) => parties.extend(self.party(target, &format!("{at}."))),
                other => {
                    self.wrong_type::<()>(at, "an object", other);
                }
            }
        }
        (parties.len() == targets.len()).then_some(parties)
    }

    fn action<'a>(&mut self, event: &'a Map<String, Value>) -> Option<&'a str> {
        let action = self.text(event, "event.", "action")?;
        if action.trim().is_empty() {
            self.add(
                "required",
                "event.action".to_owned(),
                "`event.action` is blank",
            );
            return None;
        }
        Some(action)
    }

    fn occurred_at(&mut self, event: &Map<String, Value>) {
        if let Some(text) = self.text(event, "event.", "occurred_at")
            && parse_utc_date_time(text).is_none()
        {
            let reason = "`event.occurred_at` is not a date-time in UTC with `Z`, such as 2026-02-02T16:35:39.317Z";
            self.add("invalid_format", "event.occurred_at".to_owned(), reason);
        }
    }

    /// Parses an integer in the sense of JSON Schema, which includes `1.0`.
    fn version(&mut self, event: &Map<String, Value>) -> Option<Option<i64>> {
        match event.get("version") {
            None => None,
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Some(number.as_i64())
            }
            Some(Value::Number(number))
                if number.as_f64().is_some_and(|number| number.fract() == 0.0) =>
            {
                Some(
                    number
                        .as_f64()
                        .and_then(|number| format!("{number:.0}").parse().ok()),
                )
            }
            Some(other) => self.wrong_type("event.version".to_owned(), "an integer", other),
        }
    }

    fn text<'a>(&mut self, object: &'a Map<String, Value>, at: &str, key: &str) -> Option<&'a str> {
        match object.get(key) {
            None => self.required(&format!("{at}{key}")),
            Some(Value::String(text)) => Some(text),
            Some(other) => self.wrong_type(format!("{at}{key}"), "a string", other),
        }
    }

    fn optional_text(&mut self, object: &Map<String, Value>, at: &str, key: &str) {
        if object.contains_key(key) {
            self.text(object, at, key);
        }
    }

    fn object<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        at: &str,
        key: &str,
    ) -> Option<&'a Map<String, Value>> {
        match object.get(key) {
            None => self.required(&format!("{at}{key}")),
            Some(Value::Object(inner)) => Some(inner),
            Some(other) => self.wrong_type(format!("{at}{key}"), "an object", other),
        }
    }

    fn optional_object<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        at: &str,
        key: &str,
    ) -> Option<&'a Map<String, Value>> {
        object
            .contains_key(key)
            .then(|| self.object(object, at, key))
            .flatten()
    }

    fn required<T>(&mut self, field: &str) -> Option<T> {
        self.add(
            "required",
            field.to_owned(),
            &format!("`{field}` is missing"),
        );
        None
    }

    fn wrong_type<T>(&mut self, field: String, wanted: &str, found: &Value) -> Option<T> {
        let reason = format!("`{field}` has to be {wanted}, not {}", json_type(found));
        self.add("invalid_type", field, &reason);
        None
    }

    fn add(&mut self, code: &'static str, field: String, reason: &str) {
        self.errors.push(FormError {
            code,
            field,
            reason: reason.to_owned(),
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::validate) fn body() -> Value {
        json!({
            "organization_id": "org_1",
            "event": {
                "action": "team.updated",
                "occurred_at": "2026-02-02T16:35:39.317Z",
                "version": 1,
                "actor": { "id": "user_1", "type": "user", "name": "Jon", "metadata": { "role": "admin" } },
                "targets": [{ "id": "team_1", "type": "team", "name": "Core", "metadata": { "size": 3 } }],
                "context": { "location": "203.0.113.7", "user_agent": "Chrome" },
                "metadata": { "plan": "enterprise" }
            }
        })
    }

    /// Returns the errors after one change, as `code field`.
    fn errors(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut body = body();
        change(&mut body);
        read_event(&body).map_or_else(
            |errors| {
                errors
                    .iter()
                    .map(|error| format!("{} {}", error.code, error.field))
                    .collect()
            },
            |_| Vec::new(),
        )
    }

    fn remove(pointer: &str, key: &str) -> Vec<String> {
        errors(|body| {
            body.pointer_mut(pointer)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(key)
                .unwrap();
        })
    }

    fn set(pointer: &str, value: Value) -> Vec<String> {
        errors(|body| *body.pointer_mut(pointer).unwrap() = value)
    }

    #[test]
    fn documented_example_is_well_formed() {
        let body = body();
        let form = read_event(&body).unwrap();
        assert_eq!(
            (form.organization_id, form.action, form.version),
            ("org_1", "team.updated", Some(Some(1)))
        );
        assert_eq!(form.targets[0].kind, "team");
        assert_eq!(form.actor.metadata.unwrap()["role"], "admin");
    }

    #[test]
    fn each_required_field_is_named_when_it_is_missing() {
        for (pointer, key, field) in [
            ("", "organization_id", "organization_id"),
            ("", "event", "event"),
            ("/event", "action", "event.action"),
            ("/event", "occurred_at", "event.occurred_at"),
            ("/event", "actor", "event.actor"),
            ("/event/actor", "id", "event.actor.id"),
            ("/event/actor", "type", "event.actor.type"),
            ("/event", "targets", "event.targets"),
            ("/event/targets/0", "id", "event.targets.0.id"),
            ("/event/targets/0", "type", "event.targets.0.type"),
            ("/event", "context", "event.context"),
            ("/event/context", "location", "event.context.location"),
        ] {
            assert_eq!(remove(pointer, key), [format!("required {field}")]);
        }
    }

    #[test]
    fn optional_fields_may_be_absent() {
        for (pointer, key) in [
            ("/event", "version"),
            ("/event", "metadata"),
            ("/event/actor", "name"),
            ("/event/actor", "metadata"),
            ("/event/targets/0", "name"),
            ("/event/targets/0", "metadata"),
            ("/event/context", "user_agent"),
        ] {
            assert_eq!(remove(pointer, key), [""; 0]);
        }
    }

    #[test]
    fn null_and_wrong_types_are_rejected_everywhere() {
        for (pointer, field) in [
            ("/organization_id", "organization_id"),
            ("/event", "event"),
            ("/event/action", "event.action"),
            ("/event/occurred_at", "event.occurred_at"),
            ("/event/version", "event.version"),
            ("/event/actor", "event.actor"),
            ("/event/actor/name", "event.actor.name"),
            ("/event/actor/metadata", "event.actor.metadata"),
            ("/event/targets", "event.targets"),
            ("/event/targets/0", "event.targets.0"),
            ("/event/targets/0/type", "event.targets.0.type"),
            ("/event/context", "event.context"),
            ("/event/context/user_agent", "event.context.user_agent"),
            ("/event/metadata", "event.metadata"),
        ] {
            for value in [Value::Null, json!(true)] {
                assert_eq!(set(pointer, value), [format!("invalid_type {field}")]);
            }
        }
    }

    #[test]
    fn all_errors_are_listed_at_once() {
        let found = errors(|body| {
            body["organization_id"] = json!(7);
            body["event"]["occurred_at"] = json!("yesterday");
            body["event"]["targets"] = json!([{ "type": "team" }, 7]);
            body["event"]["metadata"] = json!([]);
        });
        assert_eq!(
            found,
            [
                "invalid_type organization_id",
                "invalid_format event.occurred_at",
                "required event.targets.0.id",
                "invalid_type event.targets.1",
                "invalid_type event.metadata",
            ]
        );
    }

    #[test]
    fn flat_event_gets_a_hint_about_nesting() {
        let flat = json!({ "organization_id": "org_1", "action": "a", "actor": {}, "targets": [] });
        let errors = read_event(&flat).unwrap_err();
        assert_eq!(
            (errors.len(), errors[0].code, errors[0].field.as_str()),
            (1, "required", "event")
        );
        assert!(errors[0].reason.contains("inside `event`"));
    }

    #[test]
    fn body_that_is_not_an_object_lacks_both_fields() {
        for body in [json!([]), json!("x"), Value::Null] {
            assert_eq!(read_event(&body).unwrap_err().len(), 2);
        }
    }

    #[test]
    fn blank_action_counts_as_missing() {
        assert_eq!(set("/event/action", json!(" ")), ["required event.action"]);
    }

    #[test]
    fn version_is_any_integer() {
        assert_eq!(
            set("/event/version", json!(1.5)),
            ["invalid_type event.version"]
        );
        assert_eq!(
            set("/event/version", json!("1")),
            ["invalid_type event.version"]
        );
        for (value, version) in [
            (json!(2.0), Some(2)),
            (json!(0), Some(0)),
            (json!(-1), Some(-1)),
            (json!(u64::MAX), None),
            (json!(1e300), None),
        ] {
            let mut body = body();
            body["event"]["version"] = value;
            assert_eq!(read_event(&body).unwrap().version, Some(version));
        }
    }
}
