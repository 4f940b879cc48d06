//! Compilation of JSON Schemas.

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

/// Compiles a JSON Schema.
///
/// The draft that the service uses is undocumented. Without `$schema` it is draft 7 here, ajv's
/// default, since the service's errors have ajv's form. Nothing is ever fetched: a `$ref` out of
/// the schema is an error.
pub(super) fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let options = jsonschema::options().offline();
    let options = if schema.get("$schema").is_some() {
        options
    } else {
        options.with_draft(Draft::Draft7)
    };
    options.build(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schema_can_name_another_draft() {
        let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "dependentRequired": { "a": ["b"] } });
        assert!(!build(&schema).unwrap().is_valid(&json!({ "a": 1 })));
    }
}
