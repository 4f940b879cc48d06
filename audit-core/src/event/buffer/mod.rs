//! The packed form of an event: one buffer of fields, each a tag, a length and its bytes.

mod buffer;
mod field;
mod tag;
mod value;
mod writer;

pub(crate) use self::buffer::{Buffer, Fields, insert_last};
pub(crate) use self::field::Field;
pub(crate) use self::tag::{Owner, Tag};
pub(crate) use self::value::{MAX_KEYS, MAX_VALUE_CHARS, RESERVED_KEYS};
pub use self::value::{Text, Value};
pub(crate) use self::writer::Writer;
