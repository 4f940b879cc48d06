//! The writer of fields, which appends to the buffer of an event or a part.

use super::field::Field;
use super::tag::{Owner, Tag};
use super::value::{Text, Value};

/// A tag and four bytes for the length.
pub(super) const HEAD: usize = 5;
/// The length of a field that is not finished.
const UNFINISHED: u64 = u32::MAX as u64;

/// A writer that appends fields to a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    is_truncated: &'a mut bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>, is_truncated: &'a mut bool) -> Self {
        Self {
            bytes,
            is_truncated,
        }
    }

    /// Writes the head of a field of unknown length, and returns where its bytes begin.
    fn begin(&mut self, tag: Tag) -> usize {
        self.head(tag, 0, HEAD);
        self.bytes.len()
    }

    /// Writes the tag, four bytes for the length, and the length of a prefix.
    ///
    /// Until the field ends, its length is one that no buffer has. If user code panics in between,
    /// no reader goes beyond, and [`Buffer::leave_out_unfinished`] finds the field. A guard that
    /// removes it while the panic unwinds costs every event a twentieth of its instructions.
    ///
    /// [`Buffer::leave_out_unfinished`]: super::Buffer::leave_out_unfinished
    ///
    /// They are combined to one number, since a processor stalls when it reads back what it has
    /// just written byte by byte.
    fn head(&mut self, tag: Tag, prefix: u16, length: usize) {
        let head = u64::from(tag as u8) | UNFINISHED << 8 | u64::from(prefix) << (8 * HEAD);
        self.bytes.extend_from_slice(&head.to_le_bytes()[..length]);
    }

    /// Writes the head of a field that begins with a prefix.
    fn begin_with(&mut self, tag: Tag, prefix: &str) -> usize {
        let prefix = short(prefix);
        self.head(tag, prefix.len() as u16, HEAD + 2);
        let start = self.bytes.len() - 2;
        self.bytes.extend_from_slice(prefix.as_bytes());
        start
    }

    /// Writes the length of the field whose bytes begin at `start`.
    fn end(&mut self, start: usize) {
        let bytes = &mut self.bytes;
        let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
        bytes[start - HEAD + 1..start].copy_from_slice(&length.to_le_bytes());
    }

    /// Writes a text, cut at the limit of values; `field` names it in the list of cut fields.
    fn text(&mut self, start: usize, field: &str, write: impl FnOnce(&mut Text<'_>)) {
        let mut text = Text::new(self.bytes);
        write(&mut text);
        let is_cut = text.finish();
        self.end(start);
        if is_cut {
            self.push_truncated(field);
        }
    }

    /// Appends a field of one text.
    pub(crate) fn push_text(&mut self, tag: Tag, field: &str, write: impl FnOnce(&mut Text<'_>)) {
        let start = self.begin(tag);
        self.text(start, field, write);
    }

    /// Appends a field of a short prefix (a type, a kind) and a text.
    pub(crate) fn push_prefixed(
        &mut self,
        tag: Tag,
        prefix: &str,
        field: &str,
        write: impl FnOnce(&mut Text<'_>),
    ) {
        let start = self.begin_with(tag, prefix);
        self.text(start, field, write);
    }

    /// Appends a metadata text.
    pub(crate) fn push_metadata_text(
        &mut self,
        owner: Owner,
        key: &str,
        write: impl FnOnce(&mut Text<'_>),
    ) {
        let start = self.begin_with(owner.tag(), key);
        self.bytes.extend_from_slice(&[Value::TEXT]);
        self.text(start, key, write);
    }

    /// Appends a metadata value.
    ///
    /// A number without a JSON form (NaN, infinities) is left out and listed as cut.
    pub(crate) fn push_metadata(&mut self, owner: Owner, key: &str, value: Value<'_>) {
        let (kind, payload) = match value {
            Value::Text(text) => {
                return self.push_metadata_text(owner, key, |out| out.push_str(text));
            }
            Value::Float(number) if !number.is_finite() => return self.push_truncated(key),
            Value::Integer(number) => (Value::INTEGER, number.to_le_bytes()),
            Value::Unsigned(number) => (Value::UNSIGNED, number.to_le_bytes()),
            Value::Float(number) => (Value::FLOAT, number.to_le_bytes()),
            Value::Boolean(value) => (Value::BOOLEAN, u64::from(value).to_le_bytes()),
        };
        let start = self.begin_with(owner.tag(), key);
        self.bytes.extend_from_slice(&[kind]);
        self.bytes.extend_from_slice(&payload);
        self.end(start);
    }

    /// Notes the name of a field whose value was cut, or left out.
    pub(crate) fn push_truncated(&mut self, field: &str) {
        let start = self.begin(Tag::Truncated);
        self.bytes.extend_from_slice(field.as_bytes());
        self.end(start);
        *self.is_truncated = true;
    }

    /// Appends a field of another buffer.
    pub(crate) fn push_field(&mut self, field: Field<'_>) {
        let start = self.begin(field.tag);
        self.bytes.extend_from_slice(field.bytes);
        self.end(start);
        *self.is_truncated |= field.tag == Tag::Truncated;
    }
}

/// Cuts a prefix to the length that two bytes can represent.
fn short(prefix: &str) -> &str {
    let mut end = prefix.len().min(usize::from(u16::MAX));
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    &prefix[..end]
}
