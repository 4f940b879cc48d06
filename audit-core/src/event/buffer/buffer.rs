//! The packed buffer: fields, each a tag, a length and its bytes.
//!
//! Fields are only ever appended. Of fields that may occur once (the actor, the organization, a
//! metadata key) the last one counts, so that a later writer wins without a rewrite of the buffer.

use std::fmt;

use super::field::Field;
use super::tag::Tag;
use super::value::Value;
use super::writer::{HEAD, Writer};

/// The initial capacity of an actor, a target or a context, so that it takes one allocation.
const PART_CAPACITY: usize = 128;

/// A buffer of fields.
#[derive(Clone, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Caches whether there is a [`Tag::Truncated`] field.
    is_truncated: bool,
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Buffer {}

/// Prints no content, since `Debug` output ends up in logs.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("bytes", &self.len())
            .finish_non_exhaustive()
    }
}

impl Buffer {
    pub(crate) fn with_header(header: &[u8], capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity.max(header.len()));
        bytes.extend_from_slice(header);
        Self {
            bytes,
            is_truncated: false,
        }
    }

    /// Returns a buffer without a header, for a part of an event.
    pub(crate) fn part() -> Self {
        Self::with_header(&[], PART_CAPACITY)
    }

    /// Returns a stored buffer with a header of `header` bytes, unchecked; see
    /// [`Buffer::is_valid`].
    #[cfg(feature = "spool")]
    pub(crate) fn from_bytes(bytes: Vec<u8>, header: usize) -> Self {
        let mut buffer = Self {
            bytes,
            is_truncated: false,
        };
        buffer.is_truncated = buffer.iter(header).any(|field| field.tag == Tag::Truncated);
        buffer
    }

    /// Returns whether the bytes behind a header of `header` bytes are complete fields of known
    /// tags.
    #[cfg(feature = "spool")]
    pub(crate) fn is_valid(&self, header: usize) -> bool {
        let mut buffer = self.iter(header);
        buffer.by_ref().all(|field| field.is_valid()) && buffer.rest.is_empty()
    }

    /// Returns the bytes that the buffer occupies, which a bound on memory has to count.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Reserves exactly this many more bytes.
    pub(crate) fn reserve_exact(&mut self, bytes: usize) {
        self.bytes.reserve_exact(bytes);
    }

    pub(crate) fn header<const N: usize>(&self) -> [u8; N] {
        let mut header = [0; N];
        if let Some(bytes) = self.bytes.get(..N) {
            header.copy_from_slice(bytes);
        }
        header
    }

    /// Returns one byte of the header.
    pub(crate) fn header_byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn header_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Appends all fields of a part.
    pub(crate) fn extend(&mut self, part: &Buffer) {
        self.bytes.extend_from_slice(&part.bytes);
        self.is_truncated |= part.is_truncated;
    }

    pub(crate) fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Returns the whole buffer, with its header.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns whether a field was cut.
    pub(crate) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Returns a writer that appends to the buffer.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer::new(&mut self.bytes, &mut self.is_truncated)
    }

    /// Removes a field whose text panicked, which is the last one, and lists it as cut.
    pub(crate) fn leave_out_unfinished(&mut self, header: usize) {
        let mut fields = self.iter(header);
        fields.by_ref().for_each(drop);
        let rest = fields.rest;
        let Some((&tag, bytes)) = rest.split_first() else {
            return;
        };
        let end = self.bytes.len() - rest.len();
        let bytes = bytes.get(HEAD - 1..).unwrap_or_default();
        let name = Tag::from_byte(tag).map(|tag| Field { tag, bytes }.name().to_owned());
        self.bytes.truncate(end);
        self.writer().push_truncated(&name.unwrap_or_default());
    }

    /// Returns the fields behind a header of `header` bytes, in the order in which they were
    /// written.
    pub(crate) fn iter(&self, header: usize) -> Fields<'_> {
        Fields {
            rest: self.as_bytes().get(header..).unwrap_or_default(),
        }
    }
}

/// An iterator over the fields of a buffer.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let tag = Tag::from_byte(tag)?;
        self.rest = rest;
        Some(Field { tag, bytes })
    }
}

/// Replaces the entry of a key, or appends it.
pub(crate) fn insert_last<'a>(
    entries: &mut Vec<(&'a str, Value<'a>)>,
    entry: Option<(&'a str, Value<'a>)>,
) {
    let Some((key, value)) = entry else { return };
    match entries.iter_mut().find(|(known, _)| *known == key) {
        Some(known) => known.1 = value,
        None => entries.push((key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::buffer::Owner;

    #[test]
    fn fields_are_read_in_order() {
        let mut buffer = Buffer::with_header(b"head", 0);
        buffer
            .writer()
            .push_text(Tag::Action, "action", |out| out.push_str("document.delete"));
        buffer
            .writer()
            .push_prefixed(Tag::Target, "document", "target.id", |out| {
                out.push_str("7")
            });
        buffer
            .writer()
            .push_metadata(Owner::Event, "pages", Value::Integer(-3));
        buffer
            .writer()
            .push_metadata(Owner::Target, "draft", Value::Boolean(true));

        let read: Vec<_> = buffer.iter(4).collect();
        assert_eq!(buffer.header::<4>(), *b"head");
        assert_eq!(read[0].text(), "document.delete");
        assert_eq!(read[1].prefixed(), ("document", "7"));
        assert_eq!(read[2].metadata(), Some(("pages", Value::Integer(-3))));
        assert_eq!(read[3].metadata(), Some(("draft", Value::Boolean(true))));
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn a_long_value_is_cut_and_its_key_reported() {
        let mut buffer = Buffer::default();
        buffer
            .writer()
            .push_metadata_text(Owner::Event, "note", |out| out.push_str(&"ä".repeat(501)));
        let read: Vec<_> = buffer.iter(0).collect();
        let Some((_, Value::Text(text))) = read[0].metadata() else {
            unreachable!("a text was written")
        };
        assert_eq!(text.chars().count(), 500);
        assert!(text.ends_with('…'));
        assert_eq!(read[1].text(), "note");
    }

    #[test]
    fn a_number_without_a_json_form_is_left_out_and_reported() {
        let mut buffer = Buffer::default();
        buffer
            .writer()
            .push_metadata(Owner::Event, "ratio", Value::Float(f64::NAN));
        let read: Vec<_> = buffer
            .iter(0)
            .map(|field| (field.tag, field.text()))
            .collect();
        assert_eq!(read, [(Tag::Truncated, "ratio")]);
    }

    #[test]
    fn a_cut_buffer_ends_the_iteration_and_does_not_panic() {
        let mut buffer = Buffer::default();
        buffer
            .writer()
            .push_prefixed(Tag::Target, "document", "target.id", |out| {
                out.push_str("seven")
            });
        for length in 0..buffer.len() {
            let cut = Buffer {
                bytes: buffer.bytes[..length].to_vec(),
                is_truncated: false,
            };
            assert_eq!(cut.iter(0).count(), 0);
        }
    }
}
