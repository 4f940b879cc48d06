//! The service's own limits, which apply whatever the schema.
//!
//! For metadata of the event, the actor and each target: at most 50 keys that match
//! `^[a-zA-Z0-9_-]{0,40}$`, and as values only strings of at most 500 Unicode code points, numbers
//! and booleans (WorkOS API reference, <https://workos.com/docs/audit-logs/metadata-schema>). Users
//! report a limit of 20 targets; the reference's example of a 400 implies at least one. The status
//! for metadata beyond its limits is undocumented; here it is a 400, as for every other violation
//! inside a well-formed event.

use serde_json::{Map, Value};

use super::event::EventForm;
use super::json_type::json_type;
use super::violation::{Violation, child};

/// The number of targets of one event.
const MAX_TARGETS: usize = 20;

/// The number of keys in one metadata object.
const MAX_KEYS: usize = 50;

/// The characters of a metadata key.
const MAX_KEY_CHARS: usize = 40;

/// The Unicode code points of a metadata string.
const MAX_VALUE_CHARS: usize = 500;

/// Returns every violated limit, in the order of the event.
pub(crate) fn check_limits(form: &EventForm<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(metadata) = form.actor.metadata {
        check_metadata("/actor/metadata", metadata, &mut violations);
    }
    match form.targets.len() {
        0 => violations.push(Violation::new(
            "/targets",
            "there has to be at least one target",
        )),
        1..=MAX_TARGETS => {}
        count => violations.push(Violation::new(
            "/targets",
            format_args!("{count} targets are more than {MAX_TARGETS}"),
        )),
    }
    for (index, target) in form.targets.iter().enumerate() {
        if let Some(metadata) = target.metadata {
            check_metadata(
                &format!("/targets/{index}/metadata"),
                metadata,
                &mut violations,
            );
        }
    }
    if let Some(metadata) = form.metadata {
        check_metadata("/metadata", metadata, &mut violations);
    }
    violations
}

fn check_metadata(at: &str, metadata: &Map<String, Value>, violations: &mut Vec<Violation>) {
    if metadata.len() > MAX_KEYS {
        violations.push(Violation::new(
            at,
            format_args!("{} keys are more than {MAX_KEYS}", metadata.len()),
        ));
    }
    for (key, value) in metadata {
        if !is_key(key) {
            // As with `additionalProperties: false`, the path is that of the object.
            let rule = format_args!(
                "the key `{key}` has to be at most {MAX_KEY_CHARS} letters, digits, `_` or `-`"
            );
            violations.push(Violation::new(at, rule));
        }
        match value {
            Value::Number(_) | Value::Bool(_) => {}
            Value::String(text) => {
                let chars = text.chars().count();
                if chars > MAX_VALUE_CHARS {
                    violations.push(Violation::new(
                        child(at, key),
                        format_args!("{chars} characters are more than {MAX_VALUE_CHARS}"),
                    ));
                }
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let rule = format_args!(
                    "has to be a string, a number or a boolean, not {}",
                    json_type(value)
                );
                violations.push(Violation::new(child(at, key), rule));
            }
        }
    }
}

fn is_key(key: &str) -> bool {
    key.len() <= MAX_KEY_CHARS
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::event::read_event;
    use super::super::event::tests::body;
    use super::*;

    /// Returns the paths of the violations after one change of the event.
    fn paths(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut body = body();
        change(&mut body["event"]);
        check_limits(&read_event(&body).unwrap())
            .into_iter()
            .map(|violation| violation.instance_path)
            .collect()
    }

    fn keys(count: usize) -> Value {
        (0..count)
            .map(|index| (format!("k{index}"), json!(index)))
            .collect::<Map<_, _>>()
            .into()
    }

    #[test]
    fn event_at_every_limit_passes() {
        let mut metadata = keys(49);
        metadata["k".repeat(40)] = json!("é".repeat(500));
        let found = paths(|event| {
            let target = json!({ "id": "t", "type": "team", "metadata": metadata });
            event["targets"] = vec![target; 20].into();
            event["actor"]["metadata"] = metadata.clone();
            event["metadata"] = metadata;
            event["metadata"]["k0"] = json!(true);
            event["metadata"]["k1"] = json!(1.5);
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn no_target_and_too_many_are_reported_at_the_list() {
        let target = json!({ "id": "t", "type": "team" });
        assert_eq!(paths(|event| event["targets"] = json!([])), ["/targets"]);
        assert_eq!(
            paths(|event| event["targets"] = vec![target; 21].into()),
            ["/targets"]
        );
    }

    #[test]
    fn all_three_metadata_objects_are_checked() {
        assert_eq!(paths(|event| event["metadata"] = keys(51)), ["/metadata"]);
        assert_eq!(
            paths(|event| event["actor"]["metadata"] = keys(51)),
            ["/actor/metadata"]
        );
        assert_eq!(
            paths(|event| event["targets"][0]["metadata"] = keys(51)),
            ["/targets/0/metadata"]
        );
    }

    #[test]
    fn invalid_key_is_reported_at_its_object() {
        for key in ["a.b", "a b", "ä", &"k".repeat(41)] {
            assert_eq!(
                paths(|event| event["metadata"] = json!({ key: 1 })),
                ["/metadata"],
                "{key}"
            );
        }
        assert_eq!(
            paths(|event| event["metadata"] = json!({ "": 1, "A_z-9": 1 })),
            [""; 0]
        );
    }

    #[test]
    fn invalid_value_is_reported_at_its_key() {
        for value in [json!(null), json!([]), json!({}), json!("é".repeat(501))] {
            assert_eq!(
                paths(|event| event["metadata"] = json!({ "k": value })),
                ["/metadata/k"]
            );
        }
    }

    #[test]
    fn all_violations_are_found_at_once() {
        let found = paths(|event| {
            event["actor"]["metadata"] = json!({ "k": null });
            event["targets"][0]["metadata"] = json!({ "a/b": [] });
            event["metadata"] = json!({ "x": "y".repeat(501), "z": {} });
        });
        let expected = [
            "/actor/metadata/k",
            "/targets/0/metadata",
            "/targets/0/metadata/a~1b",
            "/metadata/x",
            "/metadata/z",
        ];
        assert_eq!(found, expected);
    }
}
