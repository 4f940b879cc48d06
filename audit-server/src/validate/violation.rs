//! Violations and the JSON Pointers they carry.

use std::fmt;

/// A violation of a schema or a limit by a well-formed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// A JSON Pointer (RFC 6901) inside `event`, such as `/targets/0/type`. As in ajv, a missing or
    /// forbidden key points at its object.
    pub(crate) instance_path: String,
    /// A sentence for a developer; not part of the response.
    pub(crate) reason: String,
}

impl Violation {
    pub(crate) fn new(instance_path: impl Into<String>, reason: impl fmt::Display) -> Self {
        let instance_path = instance_path.into();
        let reason = format!("{instance_path}: {reason}");
        Self {
            instance_path,
            reason: shorten(&reason),
        }
    }
}

/// Appends one key to a JSON Pointer.
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Truncates to 300 characters, since a reason may quote a value of any size.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 300;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_escaped_in_a_pointer() {
        assert_eq!(child("/metadata", "a/b~c"), "/metadata/a~1b~0c");
    }

    #[test]
    fn reason_has_a_bounded_length() {
        let violation = Violation::new("/metadata", "é".repeat(1_000));
        assert_eq!(violation.reason.chars().count(), 301);
    }
}
