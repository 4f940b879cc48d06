//! Metadata values and texts in the packed buffer, and their limits.

use std::fmt;

/// The maximum length of a string value, in characters ([WorkOS:
/// metadata](https://workos.com/docs/audit-logs/metadata-schema)); longer ones are cut.
pub(crate) const MAX_VALUE_CHARS: usize = 500;
/// The maximum number of keys of a metadata object ([WorkOS:
/// metadata](https://workos.com/docs/audit-logs/metadata-schema)).
pub(crate) const MAX_KEYS: usize = 50;
/// The event metadata keys that the framework sets; an application may not.
pub(crate) const RESERVED_KEYS: [&str; 10] = [
    "outcome",
    "status",
    "request_id",
    "trace_id",
    "on_behalf_of",
    "error",
    "truncated",
    "maybe_duplicate",
    "count",
    "first_at",
];

/// A metadata value of a type that the service accepts: text, a number or a boolean.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Text of at most 500 characters.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A whole number above [`i64::MAX`].
    Unsigned(u64),
    /// A finite number.
    Float(f64),
    /// A boolean.
    Boolean(bool),
}

impl<'a> Value<'a> {
    pub(super) const TEXT: u8 = 0;
    pub(super) const INTEGER: u8 = 1;
    pub(super) const UNSIGNED: u8 = 2;
    pub(super) const FLOAT: u8 = 3;
    pub(super) const BOOLEAN: u8 = 4;

    /// Returns whether [`Value::unpack`] returns the packed value, and not a fallback.
    #[cfg(feature = "spool")]
    pub(super) fn is_valid(bytes: &[u8]) -> bool {
        match bytes.split_first() {
            Some((&Self::TEXT, text)) => std::str::from_utf8(text).is_ok(),
            Some((_, payload)) if payload.len() != 8 => false,
            _ => match Value::unpack(bytes) {
                Some(Value::Float(number)) => number.is_finite(),
                Some(Value::Boolean(value)) => bytes[1..] == u64::from(value).to_le_bytes(),
                other => other.is_some(),
            },
        }
    }

    pub(super) fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        if kind == Self::TEXT {
            return Some(Value::Text(text(rest)));
        }
        let payload = *rest.first_chunk::<8>()?;
        Some(match kind {
            Self::INTEGER => Value::Integer(i64::from_le_bytes(payload)),
            Self::UNSIGNED => Value::Unsigned(u64::from_le_bytes(payload)),
            Self::FLOAT => Value::Float(f64::from_le_bytes(payload)),
            Self::BOOLEAN => Value::Boolean(payload[0] != 0),
            _ => return None,
        })
    }
}

/// Returns the text of a field.
///
/// Only valid UTF-8 is ever written, so the fallback is unreachable; decoding must not panic
/// nevertheless.
pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Integer(number) => number.fmt(f),
            Value::Unsigned(number) => number.fmt(f),
            Value::Float(number) => number.fmt(f),
            Value::Boolean(value) => value.fmt(f),
        }
    }
}

/// A writer of text into an event, which cuts at 500 characters with an ellipsis.
///
/// It implements [`fmt::Write`], so `write!` works; writing never fails.
#[derive(Debug)]
pub struct Text<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    cut: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        let start = bytes.len();
        Self {
            bytes,
            start,
            cut: false,
        }
    }

    /// Appends a piece of text.
    pub fn push_str(&mut self, text: &str) {
        // A text of few bytes has few characters, so the common case needs no count.
        if self.bytes.len() - self.start + text.len() <= MAX_VALUE_CHARS && !self.cut {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            self.push_long(text);
        }
    }

    #[cold]
    fn push_long(&mut self, text: &str) {
        if self.cut {
            return;
        }
        let room = MAX_VALUE_CHARS - self.written().chars().count();
        match text.char_indices().nth(room) {
            None => self.bytes.extend_from_slice(text.as_bytes()),
            Some((end, _)) => {
                self.bytes.extend_from_slice(&text.as_bytes()[..end]);
                self.cut = true;
            }
        }
    }

    /// Ends the text, and returns whether it was cut.
    pub(super) fn finish(mut self) -> bool {
        if self.cut {
            self.shorten();
        }
        self.cut
    }

    /// Replaces the last of the 500 characters with the ellipsis.
    #[cold]
    fn shorten(&mut self) {
        let keep = self.written().char_indices().next_back();
        let keep = keep.map_or(0, |(at, _)| at);
        self.bytes.truncate(self.start + keep);
        self.bytes.extend_from_slice("…".as_bytes());
    }

    fn written(&self) -> &str {
        text(&self.bytes[self.start..])
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::buffer::{Buffer, Owner};

    fn written(pieces: &[&str]) -> (String, bool) {
        let mut bytes = b"before".to_vec();
        let mut text = Text::new(&mut bytes);
        for piece in pieces {
            text.push_str(piece);
        }
        let cut = text.finish();
        (String::from_utf8(bytes[6..].to_vec()).unwrap(), cut)
    }

    #[test]
    fn five_hundred_characters_pass_whole() {
        let text = "é".repeat(500);
        assert_eq!(written(&[&text]), (text, false));
    }

    #[test]
    fn one_more_is_cut_to_five_hundred_with_an_ellipsis() {
        for pieces in [
            vec!["é".repeat(501)],
            vec!["é".repeat(250), "é".repeat(251)],
            vec!["é".repeat(500), "x".into()],
        ] {
            let (text, cut) = written(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
            assert!(cut);
            assert_eq!(text, format!("{}…", "é".repeat(499)));
        }
    }

    #[test]
    fn values_survive_the_packed_form() {
        for value in [
            Value::Text("x"),
            Value::Integer(i64::MIN),
            Value::Unsigned(u64::MAX),
            Value::Float(-0.5),
            Value::Boolean(true),
            Value::Boolean(false),
        ] {
            let mut buffer = Buffer::default();
            buffer.writer().push_metadata(Owner::Event, "key", value);
            let read = buffer.iter(0).next().and_then(|field| field.metadata());
            assert_eq!(read, Some(("key", value)));
        }
    }
}
