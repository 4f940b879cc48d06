//! The packed form: a buffer of facts, each a tag, a length and its bytes.
//!
//! Facts are only ever appended. Of facts that can stand once (the actor, the organization, a
//! metadata key) the last one counts, so that a later, better-informed writer wins without a
//! rewrite of the buffer.

use std::fmt;

use super::value::Value;
use super::writer::Writer;

/// What one fact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Action = 1,
    Organization = 2,
    /// Kind, then id; opens an actor, to which the actor facts behind it belong.
    Actor = 3,
    ActorName = 4,
    ActorMetadata = 5,
    /// Type, then id; opens a target, to which the target facts behind it belong.
    Target = 6,
    TargetName = 7,
    TargetMetadata = 8,
    Metadata = 9,
    Location = 10,
    UserAgent = 11,
    /// The name of a field whose value was cut.
    Truncated = 12,
    /// A target like [`Tag::Target`], of which there may be more than one event takes.
    EachTarget = 13,
    /// The action under which the event appears if it ends as a denial.
    DeniedAction = 14,
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Tag::Action,
            2 => Tag::Organization,
            3 => Tag::Actor,
            4 => Tag::ActorName,
            5 => Tag::ActorMetadata,
            6 => Tag::Target,
            7 => Tag::TargetName,
            8 => Tag::TargetMetadata,
            9 => Tag::Metadata,
            10 => Tag::Location,
            11 => Tag::UserAgent,
            12 => Tag::Truncated,
            13 => Tag::EachTarget,
            14 => Tag::DeniedAction,
            _ => return None,
        })
    }
}

/// Whose metadata a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Event,
    Actor,
    Target,
}

impl Owner {
    pub(crate) fn tag(self) -> Tag {
        match self {
            Owner::Event => Tag::Metadata,
            Owner::Actor => Tag::ActorMetadata,
            Owner::Target => Tag::TargetMetadata,
        }
    }
}

/// Room for what is usually said of an actor, a target or a context, so that it takes one
/// allocation.
const PART_CAPACITY: usize = 128;

/// A buffer of facts.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    bytes: Vec<u8>,
    /// Whether there is a [`Tag::Truncated`] among them, so that nobody has to look.
    is_truncated: bool,
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Facts {}

/// The content stays out, since `Debug` output ends up in logs.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("bytes", &self.len())
            .finish_non_exhaustive()
    }
}

impl Facts {
    pub(crate) fn with_header(header: &[u8], capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity.max(header.len()));
        bytes.extend_from_slice(header);
        Self {
            bytes,
            is_truncated: false,
        }
    }

    /// A buffer without a header, for a part of an event.
    pub(crate) fn part() -> Self {
        Self::with_header(&[], PART_CAPACITY)
    }

    /// A buffer that was written before, with a header of `header` bytes. Not checked; see
    /// [`Facts::are_whole`].
    #[cfg(feature = "spool")]
    pub(crate) fn from_bytes(bytes: Vec<u8>, header: usize) -> Self {
        let mut facts = Self {
            bytes,
            is_truncated: false,
        };
        facts.is_truncated = facts.iter(header).any(|fact| fact.tag == Tag::Truncated);
        facts
    }

    /// Whether the bytes behind a header of `header` bytes are whole facts of known tags and
    /// nothing else.
    #[cfg(feature = "spool")]
    pub(crate) fn are_whole(&self, header: usize) -> bool {
        let mut facts = self.iter(header);
        facts.by_ref().all(|fact| fact.is_whole()) && facts.rest.is_empty()
    }

    /// What the buffer occupies, which is what a bound on memory has to count.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many more bytes, and no more than that.
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

    /// One byte of the header.
    pub(crate) fn header_byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn header_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Appends all facts of a part.
    pub(crate) fn extend(&mut self, part: &Facts) {
        self.bytes.extend_from_slice(&part.bytes);
        self.is_truncated |= part.is_truncated;
    }

    pub(crate) fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// The whole buffer, with its header.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the name of a field that was cut is among them.
    pub(crate) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// What appends to it.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer::new(&mut self.bytes, &mut self.is_truncated)
    }

    /// The facts behind a header of `header` bytes, in the order they were written.
    pub(crate) fn iter(&self, header: usize) -> FactIter<'_> {
        FactIter {
            rest: self.as_bytes().get(header..).unwrap_or_default(),
        }
    }
}

/// The facts of a buffer.
#[derive(Clone, Debug)]
pub(crate) struct FactIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for FactIter<'a> {
    type Item = Fact<'a>;

    fn next(&mut self) -> Option<Fact<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let tag = Tag::from_byte(tag)?;
        self.rest = rest;
        Some(Fact { tag, bytes })
    }
}

/// Puts an entry where its key stands already, or at the end.
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

/// One fact, still packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact<'a> {
    pub(crate) tag: Tag,
    pub(super) bytes: &'a [u8],
}

impl<'a> Fact<'a> {
    pub(crate) fn text(&self) -> &'a str {
        text(self.bytes)
    }

    /// A word and the text behind it.
    pub(crate) fn named(&self) -> (&'a str, &'a str) {
        let (word, rest) = self.word();
        (word, text(rest))
    }

    /// A metadata key and its value.
    pub(crate) fn metadata(&self) -> Option<(&'a str, Value<'a>)> {
        let (key, rest) = self.word();
        Some((key, Value::unpack(rest)?))
    }

    /// Whether its bytes are what its tag promises, so that no accessor has to fall back.
    #[cfg(feature = "spool")]
    fn is_whole(&self) -> bool {
        let is_text = |bytes| std::str::from_utf8(bytes).is_ok();
        let word = || {
            let (length, rest) = self.bytes.split_first_chunk::<2>()?;
            let (word, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            is_text(word).then_some(rest)
        };
        match self.tag {
            Tag::Action
            | Tag::Organization
            | Tag::ActorName
            | Tag::TargetName
            | Tag::Location
            | Tag::UserAgent
            | Tag::Truncated
            | Tag::DeniedAction => is_text(self.bytes),
            Tag::Actor | Tag::Target | Tag::EachTarget => word().is_some_and(is_text),
            Tag::Metadata | Tag::ActorMetadata | Tag::TargetMetadata => {
                word().is_some_and(Value::is_whole)
            }
        }
    }

    fn word(&self) -> (&'a str, &'a [u8]) {
        let Some((length, rest)) = self.bytes.split_first_chunk::<2>() else {
            return ("", &[]);
        };
        match rest.split_at_checked(usize::from(u16::from_le_bytes(*length))) {
            Some((word, rest)) => (text(word), rest),
            None => ("", &[]),
        }
    }
}

/// Only whole `str`s are ever written, so the fallback is never seen; decoding must not be able to
/// panic all the same.
pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_in_order() {
        let mut facts = Facts::with_header(b"head", 0);
        facts
            .writer()
            .push_text(Tag::Action, "action", |out| out.push_str("document.delete"));
        facts
            .writer()
            .push_named(Tag::Target, "document", "target.id", |out| {
                out.push_str("7")
            });
        facts
            .writer()
            .push_metadata(Owner::Event, "pages", Value::Integer(-3));
        facts
            .writer()
            .push_metadata(Owner::Target, "draft", Value::Boolean(true));

        let read: Vec<_> = facts.iter(4).collect();
        assert_eq!(facts.header::<4>(), *b"head");
        assert_eq!(read[0].text(), "document.delete");
        assert_eq!(read[1].named(), ("document", "7"));
        assert_eq!(read[2].metadata(), Some(("pages", Value::Integer(-3))));
        assert_eq!(read[3].metadata(), Some(("draft", Value::Boolean(true))));
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn a_long_value_is_cut_and_its_key_reported() {
        let mut facts = Facts::default();
        facts
            .writer()
            .push_metadata_text(Owner::Event, "note", |out| out.push_str(&"ä".repeat(501)));
        let read: Vec<_> = facts.iter(0).collect();
        let Some((_, Value::Text(text))) = read[0].metadata() else {
            unreachable!("a text was written")
        };
        assert_eq!(text.chars().count(), 500);
        assert!(text.ends_with('…'));
        assert_eq!(read[1].text(), "note");
    }

    #[test]
    fn a_number_that_json_cannot_say_is_left_out_and_reported() {
        let mut facts = Facts::default();
        facts
            .writer()
            .push_metadata(Owner::Event, "ratio", Value::Float(f64::NAN));
        let read: Vec<_> = facts.iter(0).map(|fact| (fact.tag, fact.text())).collect();
        assert_eq!(read, [(Tag::Truncated, "ratio")]);
    }

    #[test]
    fn a_cut_buffer_ends_the_iteration_and_does_not_panic() {
        let mut facts = Facts::default();
        facts
            .writer()
            .push_named(Tag::Target, "document", "target.id", |out| {
                out.push_str("seven")
            });
        for length in 0..facts.len() {
            let cut = Facts {
                bytes: facts.bytes[..length].to_vec(),
                is_truncated: false,
            };
            assert_eq!(cut.iter(0).count(), 0);
        }
    }
}
