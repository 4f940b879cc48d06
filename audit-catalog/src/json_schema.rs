//! Generates the JSON Schema of `audit.toml` for editors, and compares it with `audit.schema.json`.

use serde_json::{Value, json};

use crate::coalesce::CoalesceBy;
use crate::model::{Kind, MAX_KEY_LENGTH, MAX_METADATA_KEYS, RESERVED_METADATA};
use crate::parse::{ACTION_KEYS, COALESCE_KEYS, DOCUMENT_KEYS, METADATA_ONLY};

/// The rule for names: they begin and end with a letter or digit, and contain no `..`.
const NAME: &str = r"^[a-zA-Z0-9](([_:-]|\.[_:-])*\.?[a-zA-Z0-9])*$";

/// The rule for windows: 1 to 900 seconds, or 1 to 15 minutes.
const WINDOW: &str = "^(([1-9][0-9]?|[1-8][0-9]{2}|900)s|([1-9]|1[0-5])m)$";

fn schema() -> Value {
    let kinds: Vec<String> = Kind::ALL
        .iter()
        .flat_map(|kind| [kind.to_string(), format!("{kind}?")])
        .collect();
    let metadata = |description: &str, most: usize, reserved: &[&str]| {
        let mut names = json!({ "pattern": format!("^[a-zA-Z0-9_-]{{1,{MAX_KEY_LENGTH}}}$") });
        if !reserved.is_empty() {
            names["not"] = json!({ "enum": reserved });
        }
        json!({
            "type": "object",
            "description": description,
            "propertyNames": names,
            "maxProperties": most,
            "additionalProperties": {
                "enum": kinds,
                "description": "The type of the value; a trailing ? makes the field optional.",
            },
        })
    };
    let by = CoalesceBy::ALL.map(CoalesceBy::as_str);
    let reserved = RESERVED_METADATA.map(|(key, _)| key);
    let name = json!({ "pattern": NAME });
    let only_metadata = |description: &str, metadata: Value| {
        json!({
            "type": "object",
            "description": description,
            "additionalProperties": false,
            "properties": { "metadata": metadata },
        })
    };
    let target = only_metadata(
        "A target type that at least one action names.",
        metadata(
            "The metadata of each target of this type.",
            MAX_METADATA_KEYS,
            &[],
        ),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "audit.toml",
        "description": "The audit catalog: an application's actions, their target types and their metadata.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "action": {
                "type": "object",
                "description": "The actions, each as [action.\"NAME\"].",
                "propertyNames": name,
                "additionalProperties": {
                    "type": "object",
                    "description": "One action.",
                    "additionalProperties": false,
                    "required": ["targets"],
                    "properties": {
                        "summary": {
                            "type": "string",
                            "description": "A sentence with the placeholders {actor}, {action}, {target}, {targets}, {organization}, {metadata.KEY}; {{ is a brace.",
                        },
                        "targets": {
                            "type": "array",
                            "description": "The target types that an event of the action may have.",
                            "items": { "type": "string", "pattern": NAME },
                            "minItems": 1,
                            "uniqueItems": true,
                        },
                        "denied": {
                            "type": "string",
                            "description": "The action under which a denial is recorded.",
                            "pattern": NAME,
                        },
                        "durable": {
                            "type": "boolean",
                            "description": "If true, an event of the action is on disk before the operation returns.",
                            "default": false,
                        },
                        "coalesce": {
                            "type": "object",
                            "description": "Within a window, the first of several equal events is delivered immediately; the rest are replaced by one event with a count. Not together with durable.",
                            "additionalProperties": false,
                            "required": COALESCE_KEYS,
                            "properties": {
                                "by": {
                                    "type": "array",
                                    "description": "The parts in which events have to be equal, besides action and organization.",
                                    "items": { "enum": by },
                                    "minItems": 1,
                                    "uniqueItems": true,
                                },
                                "window": {
                                    "type": "string",
                                    "description": "The length of the window, from 1s to 15m.",
                                    "pattern": WINDOW,
                                },
                            },
                        },
                        "deprecated": {
                            "type": "string",
                            "description": "The replacement, shown in a compiler warning at each use.",
                            "pattern": r"\S",
                        },
                        "metadata": metadata(
                            "The metadata of the event that the application sets.",
                            MAX_METADATA_KEYS - RESERVED_METADATA.len(),
                            &reserved,
                        ),
                    },
                },
            },
            "target": {
                "type": "object",
                "description": "The target types, each as [target.TYPE].",
                "propertyNames": name,
                "additionalProperties": target,
            },
            "actor": only_metadata(
                "The actor.",
                metadata("The metadata of the actor.", MAX_METADATA_KEYS, &[]),
            ),
        },
    })
}

/// Formats the file. Keys are sorted here, because the order of a `serde_json` map depends on its
/// features in the final build.
fn text(value: &Value, indent: usize) -> String {
    let pad = "  ".repeat(indent + 1);
    let end = "  ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{pad}{}: {}", json!(key), text(value, indent + 1)))
                .collect();
            format!("{{\n{}\n{end}}}", entries.join(",\n"))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        plain => plain.to_string(),
    }
}

fn keys(schema: &Value) -> Vec<&str> {
    let properties = schema["properties"].as_object().unwrap();
    let mut keys: Vec<&str> = properties.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn sorted<const N: usize>(mut names: [&str; N]) -> Vec<&str> {
    names.sort_unstable();
    names.to_vec()
}

#[test]
fn the_checked_in_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/audit.schema.json");
    let made = format!("{}\n", text(&schema(), 0));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        made,
        "UPDATE_EXPECT=1 writes it"
    );
}

#[test]
fn the_schema_has_exactly_the_keys_of_the_parser() {
    let schema = schema();
    assert_eq!(keys(&schema), sorted(DOCUMENT_KEYS));
    let parts = &schema["properties"];
    assert_eq!(
        keys(&parts["action"]["additionalProperties"]),
        sorted(ACTION_KEYS)
    );
    assert_eq!(
        keys(&parts["target"]["additionalProperties"]),
        METADATA_ONLY
    );
    assert_eq!(keys(&parts["actor"]), METADATA_ONLY);
    let coalesce = &parts["action"]["additionalProperties"]["properties"]["coalesce"];
    assert_eq!(keys(coalesce), sorted(COALESCE_KEYS));
    let closed = [
        coalesce,
        &schema,
        &parts["action"]["additionalProperties"],
        &parts["target"]["additionalProperties"],
        &parts["actor"],
    ];
    for part in closed {
        assert_eq!(part["additionalProperties"], false);
    }
}

mod files {
    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::model::Catalog;

    fn json_of(value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => json!(&**text),
            DeValue::Integer(number) => json!(number.as_str().parse::<i64>().unwrap()),
            DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap()),
            DeValue::Boolean(value) => json!(value),
            DeValue::Datetime(time) => json!(time.to_string()),
            DeValue::Array(items) => items.iter().map(|item| json_of(item.get_ref())).collect(),
            DeValue::Table(table) => table_of(table),
        }
    }

    fn table_of(table: &DeTable<'_>) -> Value {
        let entries = table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), json_of(value.get_ref())));
        Value::Object(entries.collect())
    }

    /// Returns `true` if the text is valid under the checked-in schema.
    fn is_valid(text: &str) -> bool {
        let schema: Value = serde_json::from_str(include_str!("../audit.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let document = DeTable::parse(text).unwrap();
        validator.is_valid(&table_of(document.get_ref()))
    }

    #[test]
    fn the_catalogs_of_this_repository_are_valid() {
        // Read when the test runs: the files of other crates are no part of the package.
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for file in [
            "examples/audit.toml",
            "tests/audit.toml",
            "audit-derive/audit.toml",
            "audit-catalog/tests/golden/audit.toml",
        ] {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            assert!(Catalog::parse(&text, "audit.toml").is_ok());
            assert!(is_valid(&text), "{text}");
        }
    }

    #[test]
    fn the_schema_rejects_what_the_parser_rejects_by_form() {
        let keys: String = (0..41)
            .map(|key| format!("k{key} = \"string\"\n"))
            .collect();
        for wrong in [
            "actions.a.targets = [\"t\"]",
            "action.a.target = [\"t\"]",
            "action.a.summary = \"x\"",
            "action.a.targets = []",
            "action.a.targets = \"t\"",
            "action.a.targets = [\"t\", \"t\"]",
            "action.a.targets = [\"a b\"]",
            "action.a.targets = [\"t\"]\naction.a.durable = \"yes\"",
            "action.a.targets = [\"t\"]\naction.a.deprecated = \"\"",
            "action.a.targets = [\"t\"]\naction.a.metadata.x = \"bool\"",
            "action.a.targets = [\"t\"]\naction.a.metadata.status = \"number\"",
            "action.a.targets = [\"t\"]\naction.a.metadata.\"a b\" = \"string\"",
            "action.a.targets = [\"t\"]\naction.a.coalesce = { by = [\"actor\"] }",
            "action.a.targets = [\"t\"]\naction.a.coalesce = { by = [], window = \"60s\" }",
            "action.a.targets = [\"t\"]\naction.a.coalesce = { by = [\"user\"], window = \"60s\" }",
            "action.\"a b\".targets = [\"t\"]",
            "action.a.targets = [\"t\"]\ntarget.t.metdata = {}",
            "action.a.targets = [\"t\"]\nactor.role = \"string\"",
            &format!("action.a.targets = [\"t\"]\n[action.a.metadata]\n{keys}"),
        ] {
            assert!(Catalog::parse(wrong, "audit.toml").is_err(), "{wrong}");
            assert!(!is_valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn schema_and_parser_agree_on_windows() {
        let numbers = [
            "0", "1", "9", "15", "16", "60", "99", "100", "899", "900", "901", "999", "1000", "05",
            "",
        ];
        for (number, unit) in numbers
            .iter()
            .flat_map(|number| [(number, "s"), (number, "m"), (number, "h")])
        {
            let text = format!(
                "action.a.targets = [\"t\"]\naction.a.coalesce = {{ by = [\"actor\"], window = \"{number}{unit}\" }}"
            );
            assert_eq!(
                is_valid(&text),
                Catalog::parse(&text, "").is_ok(),
                "{number}{unit}"
            );
        }
    }

    #[test]
    fn schema_and_parser_agree_on_names() {
        for name in [
            "a",
            "A1",
            "document.share",
            "User-Created_2",
            "vault:kv.read",
            "a.-b",
            "a-.b",
            "a:_b",
            "a.b.c",
            "a--b",
            "",
            "a b",
            "a/b",
            "..",
            ".",
            "a..b",
            ".a",
            "a-",
            "-a",
            "a.",
            "ä",
            "a.-.b",
            "a-..b",
        ] {
            let text = format!("[action.\"{name}\"]\ntargets = [\"t\"]");
            assert_eq!(
                is_valid(&text),
                Catalog::parse(&text, "").is_ok(),
                "{name:?}"
            );
        }
    }
}
