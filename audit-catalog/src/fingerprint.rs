//! Fingerprints of schemas: SHA-256 over a canonical form.

use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a schema's canonical form, displayed as `sha256:` and 64 hexadecimal digits.
///
/// Schemas with equal fingerprints accept the same events. Only `actor`, `metadata` and `targets`
/// are included. The order of keys and of target types is ignored, and so are the fields that the
/// service adds to its response, such as `version` and `created_at`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

const PREFIX: &str = "sha256:";

impl Fingerprint {
    /// Creates a fingerprint from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Computes the fingerprint of a schema in the form of
    /// [`Action::wire_schema`](crate::Action::wire_schema) and of the service's responses
    /// ([schema](https://workos.com/docs/reference/audit-logs/schema)).
    #[cfg(feature = "fingerprint")]
    #[must_use]
    pub fn of_schema(schema: &serde_json::Value) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(canonical::schema(schema)).into())
    }
}

#[cfg(feature = "fingerprint")]
impl crate::model::Action {
    /// Returns the fingerprint of the action's schema.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_schema(&self.wire_schema())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let error = || FingerprintError { private: () };
        let digits = text.strip_prefix(PREFIX).ok_or_else(error)?.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(error());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or_else(error)?;
                *byte = *byte << 4 | value as u8;
            }
        }
        Ok(Self(bytes))
    }
}

/// The error of parsing a text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerprintError {
    private: (),
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fingerprint is `sha256:` and 64 hexadecimal digits")
    }
}

impl std::error::Error for FingerprintError {}

/// Canonical JSON: no white space, sorted keys, sorted target types.
#[cfg(feature = "fingerprint")]
mod canonical {
    use std::collections::BTreeMap;

    use serde_json::Value;

    pub(super) fn schema(schema: &Value) -> String {
        let mut parts: BTreeMap<&str, String> = BTreeMap::new();
        for key in ["actor", "metadata"] {
            if let Some(value) = schema.get(key).filter(|value| !value.is_null()) {
                parts.insert(key, text(value));
            }
        }
        let targets = schema.get("targets").and_then(Value::as_array);
        let mut targets: Vec<String> = targets.into_iter().flatten().map(text).collect();
        targets.sort_unstable();
        parts.insert("targets", format!("[{}]", targets.join(",")));
        object(parts)
    }

    fn text(value: &Value) -> String {
        match value {
            Value::Object(map) => object(
                map.iter()
                    .map(|(key, value)| (&**key, text(value)))
                    .collect(),
            ),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(text).collect();
                format!("[{}]", items.join(","))
            }
            plain => plain.to_string(),
        }
    }

    // Sorted here, because the order of a `serde_json` map depends on its features in the final
    // build.
    fn object(sorted: BTreeMap<&str, String>) -> String {
        let entries: Vec<String> = sorted
            .into_iter()
            .map(|(key, text)| format!("{}:{text}", Value::from(key)))
            .collect();
        format!("{{{}}}", entries.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_displayed_form_is_parsed() {
        let fingerprint = Fingerprint::from_bytes(std::array::from_fn(|index| index as u8 * 7));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        let zeros = "0".repeat(64);
        for wrong in [
            "",
            "sha256:",
            &zeros,
            &format!("md5:{zeros}"),
            &format!("sha256:{zeros}0"),
            &format!("sha256:{}g", &zeros[1..]),
            &format!("sha256:{}ä", &zeros[2..]),
        ] {
            let error = wrong.parse::<Fingerprint>().unwrap_err();
            assert!(
                error.to_string().contains("64 hexadecimal digits"),
                "{wrong}"
            );
        }
    }

    #[cfg(feature = "fingerprint")]
    mod of_schemas {
        use serde_json::{Value, json};

        use crate::fingerprint::Fingerprint;
        use crate::model::Catalog;

        fn of(text: &str) -> Fingerprint {
            let catalog = Catalog::parse(text, "audit.toml").unwrap();
            catalog.actions().next().unwrap().fingerprint()
        }

        const BASE: &str = "[action.a]\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\nx = \"string\"\ny = \"number\"";

        #[test]
        fn it_is_the_sha_256_of_the_canonical_text() {
            // The golden schema in `jq --sort-keys --compact-output`, through `sha256sum`.
            let schema: Value =
                serde_json::from_str(include_str!("../tests/golden/document.share.json")).unwrap();
            let expected = include_str!("../tests/golden/document.share.sha256").trim();
            assert_eq!(Fingerprint::of_schema(&schema).to_string(), expected);
        }

        #[test]
        fn schemas_that_accept_the_same_events_have_equal_fingerprints() {
            let base = of(BASE);
            for same in [
                "[action.a]\ntargets = [\"u\", \"t\"]\n[action.a.metadata]\nx = \"string\"\ny = \"number\"",
                "[action.a]\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\ny = \"number\"\nx = \"string\"",
                "[action.a]\nsummary = \"{actor}\"\ndurable = true\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\nx = \"string?\"\ny = \"number\"",
            ] {
                assert_eq!(of(same), base, "{same}");
            }
        }

        #[test]
        fn schemas_that_accept_other_events_have_other_fingerprints() {
            let base = of(BASE);
            for other in [
                "[action.a]\ntargets = [\"t\"]\n[action.a.metadata]\nx = \"string\"\ny = \"number\"",
                "[action.a]\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\nx = \"number\"\ny = \"number\"",
                "[action.a]\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\nx = \"string\"",
                "[action.a]\ntargets = [\"t\", \"u\"]\n[action.a.metadata]\nx = \"string\"\ny = \"number\"\n[actor.metadata]\nz = \"string\"",
            ] {
                assert_ne!(of(other), base, "{other}");
            }
        }

        #[test]
        fn fields_added_by_the_service_are_ignored() {
            let sent = json!({ "targets": [{ "type": "t" }], "metadata": { "type": "object", "properties": {} } });
            let answered = json!({
                "object": "audit_log_schema", "version": 3, "created_at": "2026-02-02T16:35:39.317Z", "actor": null,
                "targets": [{ "type": "t" }], "metadata": { "properties": {}, "type": "object" },
            });
            assert_eq!(
                Fingerprint::of_schema(&sent),
                Fingerprint::of_schema(&answered)
            );
        }
    }
}
