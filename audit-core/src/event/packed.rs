//! The serialized form of an event, which outlives the process.
//!
//! It is a version, a checksum, and the event's buffer as it is in memory. The layout of the buffer
//! is thereby a format: a change of the header, of a tag or of the bytes behind one needs a new
//! version, and code that reads the older ones.

use super::event::{Event, HEADER};
use crate::event::buffer::Buffer;

const VERSION: u8 = 1;
/// The version, then CRC-32 over the rest.
const PREFIX: usize = 5;
/// The 1-based position of the event's id.
pub(crate) const ID_AT: usize = PREFIX + 1;

/// The reason why bytes are not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PackedError {
    #[error("the bytes were written by a newer version, as format {0}; this one knows {VERSION}")]
    Version(u8),
    #[error("the bytes are not those that were written")]
    Damaged,
}

impl Event {
    /// Returns the event as bytes, for [`Event::from_packed`].
    pub(crate) fn to_packed(&self) -> Vec<u8> {
        let buffer = self.buffer().as_bytes();
        let mut packed = Vec::with_capacity(PREFIX + buffer.len());
        packed.push(VERSION);
        packed.extend_from_slice(&crc32fast::hash(buffer).to_le_bytes());
        packed.extend_from_slice(buffer);
        packed
    }

    /// Returns the event that was packed, or an error; never another event.
    pub(crate) fn from_packed(packed: &[u8]) -> Result<Self, PackedError> {
        let (&version, rest) = packed.split_first().ok_or(PackedError::Damaged)?;
        let (checksum, buffer) = rest.split_first_chunk::<4>().ok_or(PackedError::Damaged)?;
        if crc32fast::hash(buffer) != u32::from_le_bytes(*checksum) {
            return Err(PackedError::Damaged);
        }
        if version != VERSION {
            return Err(PackedError::Version(version));
        }
        // The checksum proves that these bytes were written; this, that they have this version's
        // form.
        Event::from_buffer(Buffer::from_bytes(buffer.to_vec(), HEADER)).ok_or(PackedError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::actor::Actor;
    use crate::event::context::Context;
    use crate::event::outcome::Outcome;
    use crate::event::target::Target;

    fn event() -> Event {
        let mut event = Event::builder("document.share")
            .organization("org_1")
            .actor(Actor::user("u1").name("Ada").metadata("admin", true))
            .target(
                Target::new("document", 42)
                    .name("Plan")
                    .metadata("size", 0.5),
            )
            .metadata("note", "ä".repeat(501))
            .metadata("pages", -3)
            .context(Context::new().location("203.0.113.7").user_agent("curl/8"))
            .outcome(Outcome::Denied)
            .version(3)
            .build()
            .unwrap();
        event.set_denied_action("document.share_denied");
        event.push_each_target(&Target::new("user", "u2"));
        event
    }

    #[test]
    fn packing_round_trips() {
        let event = event();
        assert_eq!(Event::from_packed(&event.to_packed()), Ok(event));
        let bare = Event::begin("a", 0);
        assert_eq!(Event::from_packed(&bare.to_packed()), Ok(bare));
    }

    #[test]
    fn a_long_prefix_is_cut_between_characters() {
        let kind = "ä".repeat(40_000);
        let event = Event::builder("a")
            .target(Target::new(&kind, 1))
            .build()
            .unwrap();
        let read = Event::from_packed(&event.to_packed()).unwrap();
        assert_eq!(read.targets().next().unwrap().kind().len(), 65_534);
    }

    #[test]
    fn no_flipped_bit_and_no_cut_makes_another_event() {
        let packed = event().to_packed();
        for at in 0..packed.len() {
            assert!(Event::from_packed(&packed[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut bytes = packed.clone();
                bytes[at] ^= 1 << bit;
                assert!(
                    Event::from_packed(&bytes).is_err(),
                    "bit {bit} of byte {at}"
                );
            }
        }
    }

    #[test]
    fn invalid_fields_are_refused_despite_a_valid_checksum() {
        let event = event();
        let buffer = event.buffer().as_bytes();
        let seal = |buffer: &[u8]| {
            let mut packed = vec![VERSION];
            packed.extend_from_slice(&crc32fast::hash(buffer).to_le_bytes());
            packed.extend_from_slice(buffer);
            Event::from_packed(&packed)
        };
        assert_eq!(seal(buffer), Ok(event.clone()));
        // Any bytes are an id, a time and a version; the rest of the header has values that mean
        // nothing.
        for (at, value) in [(28, 6), (29, 0x3f), (30, 0x40)] {
            let mut bytes = buffer.to_vec();
            bytes[at] = value;
            assert_eq!(seal(&bytes), Err(PackedError::Damaged), "{value} at {at}");
        }
        let behind = |more: &[u8]| seal(&[buffer, more].concat());
        assert_eq!(
            behind(&[99, 0, 0, 0, 0]),
            Err(PackedError::Damaged),
            "an unknown tag"
        );
        assert_eq!(
            behind(&[12, 1, 0, 0, 0]),
            Err(PackedError::Damaged),
            "a text that ends early"
        );
        assert_eq!(
            behind(&[12, 1, 0, 0, 0, 0xff]),
            Err(PackedError::Damaged),
            "not UTF-8"
        );
        assert_eq!(
            behind(&[6, 2, 0, 0, 0, 9, 0]),
            Err(PackedError::Damaged),
            "a word that ends early"
        );
        let number = |kind: u8, payload: [u8; 8]| {
            let mut field = vec![9, 12, 0, 0, 0, 1, 0, b'k', kind];
            field.extend_from_slice(&payload);
            behind(&field)
        };
        assert!(number(1, [7; 8]).is_ok());
        assert_eq!(number(3, f64::NAN.to_le_bytes()), Err(PackedError::Damaged));
        assert_eq!(number(4, 2_u64.to_le_bytes()), Err(PackedError::Damaged));
        assert_eq!(number(5, [0; 8]), Err(PackedError::Damaged));
    }

    #[test]
    fn a_newer_format_is_distinguished_from_damage() {
        let mut packed = event().to_packed();
        packed[0] = VERSION + 1;
        assert_eq!(
            Event::from_packed(&packed),
            Err(PackedError::Version(VERSION + 1))
        );
    }
}
