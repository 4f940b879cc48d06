//! A violation and the place it points at.

use std::fmt;

/// Something about a well-formed event that its schema or a limit refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// A JSON Pointer (RFC 6901) inside `event`, such as `/targets/0/type`. As in ajv, a key that
    /// is missing or not allowed points at its object.
    pub(crate) instance_path: String,
    /// A sentence for a person; not part of the answer.
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

/// One step of a JSON Pointer.
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// At most 300 characters: a reason may quote a value of any size.
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
    fn a_key_is_escaped_in_a_pointer() {
        assert_eq!(child("/metadata", "a/b~c"), "/metadata/a~1b~0c");
    }

    #[test]
    fn a_reason_does_not_grow_with_the_value() {
        let violation = Violation::new("/metadata", "é".repeat(1_000));
        assert_eq!(violation.reason.chars().count(), 301);
    }
}
