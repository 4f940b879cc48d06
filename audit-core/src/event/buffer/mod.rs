//! The packed form of an event: one buffer of records, each a tag, a length and its bytes.

mod facts;
mod value;
mod writer;

pub(crate) use self::facts::{Fact, FactIter, Facts, Owner, Tag, insert_last};
pub(crate) use self::value::{MAX_KEYS, MAX_VALUE_CHARS, RESERVED_KEYS};
pub use self::value::{Text, Value};
pub(crate) use self::writer::Writer;
