//! The traits of captured values: text, ids, numbers and booleans in the audit log.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::id::{EventId, OrganizationId};
use crate::event::buffer::{Owner, Text, Value, Writer};

/// A type that is recorded as text.
///
/// There is no blanket implementation for [`Display`](std::fmt::Display), since it would let a
/// number pass as text. For a type of yours, implement this trait, or write `metadata(key =
/// display(value))`.
///
/// ```
/// use audit_core::{AuditText, Text};
///
/// struct Plan(&'static str);
///
/// impl AuditText for Plan {
///     fn audit_text(&self, out: &mut Text<'_>) {
///         out.push_str(self.0);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text in the audit log",
    label = "the catalog says that this is a string",
    note = "text is `&str`, `String`, `Cow<str>`, `Uuid`, or a type that implements `AuditText`",
    note = "to record what its `Display` prints, write `display(..)` around the value"
)]
pub trait AuditText {
    /// Writes the text. It is called once, when the value is captured.
    fn audit_text(&self, out: &mut Text<'_>);
}

impl AuditText for str {
    fn audit_text(&self, out: &mut Text<'_>) {
        out.push_str(self);
    }
}

impl AuditText for String {
    fn audit_text(&self, out: &mut Text<'_>) {
        out.push_str(self);
    }
}

impl AuditText for char {
    fn audit_text(&self, out: &mut Text<'_>) {
        out.push_str(self.encode_utf8(&mut [0; 4]));
    }
}

impl AuditText for uuid::Uuid {
    fn audit_text(&self, out: &mut Text<'_>) {
        out.push_str(
            self.hyphenated()
                .encode_lower(&mut uuid::Uuid::encode_buffer()),
        );
    }
}

impl AuditText for OrganizationId {
    fn audit_text(&self, out: &mut Text<'_>) {
        out.push_str(self.as_str());
    }
}

impl AuditText for EventId {
    fn audit_text(&self, out: &mut Text<'_>) {
        self.as_uuid().audit_text(out);
    }
}

impl<T: AuditText + ToOwned + ?Sized> AuditText for Cow<'_, T> {
    fn audit_text(&self, out: &mut Text<'_>) {
        (**self).audit_text(out);
    }
}

macro_rules! through_pointer {
    ($trait:ident, $method:ident, $($pointer:ty),*) => {$(
        impl<T: $trait + ?Sized> $trait for $pointer {
            fn $method(&self, out: &mut Text<'_>) {
                (**self).$method(out);
            }
        }
    )*};
}
through_pointer!(AuditText, audit_text, &T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// A type that identifies an actor or a target: text, or a whole number.
///
/// An `Option` of either may be absent.
///
/// ```
/// use audit_core::Target;
///
/// assert_eq!(Target::new("document", 42).id(), "42");
/// assert_eq!(Target::new("document", "b7").id(), "b7");
/// assert_eq!(Target::new("document", None::<u64>).id(), "unresolved");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not identify an actor or a target",
    label = "expected an id",
    note = "an id is text (`&str`, `String`, `Cow<str>`, `Uuid`), a whole number, an `Option` of these, or a type that implements `AuditText`",
    note = "a `Secret` is never recorded; name what identifies it instead, such as the id or the last digits of a key"
)]
pub trait AuditId {
    /// Returns `true` if there is an id; `false` only for an absent `Option`.
    #[doc(hidden)]
    fn is_present(&self) -> bool {
        true
    }
    /// Writes the id.
    #[doc(hidden)]
    fn write_id(&self, out: &mut Text<'_>);
}

impl<T: AuditText + ?Sized> AuditId for T {
    fn write_id(&self, out: &mut Text<'_>) {
        self.audit_text(out);
    }
}

impl<T: AuditId> AuditId for Option<T> {
    fn is_present(&self) -> bool {
        self.as_ref().is_some_and(AuditId::is_present)
    }

    fn write_id(&self, out: &mut Text<'_>) {
        match self {
            Some(id) => id.write_id(out),
            // The service refuses an empty id.
            None => out.push_str("unresolved"),
        }
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl AuditId for $number {
            fn write_id(&self, out: &mut Text<'_>) {
                out.push_str(itoa::Buffer::new().format(*self));
            }
        }

        impl AuditId for &$number {
            fn write_id(&self, out: &mut Text<'_>) {
                (**self).write_id(out);
            }
        }
    )*};
}
whole_numbers!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
);

/// The destination of one metadata value: the owner and the key.
#[doc(hidden)]
#[derive(Debug)]
pub struct Entry<'a> {
    pub(crate) writer: Writer<'a>,
    pub(crate) owner: Owner,
    pub(crate) key: &'a str,
}

impl Entry<'_> {
    fn set(mut self, value: Value<'_>) {
        self.writer.push_metadata(self.owner, self.key, value);
    }

    fn set_text(mut self, write: impl FnOnce(&mut Text<'_>)) {
        self.writer.push_metadata_text(self.owner, self.key, write);
    }
}

macro_rules! value_traits {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        pub trait $name {
            /// Appends the value; an absent one appends nothing.
            #[doc(hidden)]
            fn append(&self, entry: Entry<'_>);
        }

        impl<T: $name> $name for Option<T> {
            fn append(&self, entry: Entry<'_>) {
                if let Some(value) = self {
                    value.append(entry);
                }
            }
        }
    )*};
}

value_traits! {
    /// A value of a metadata key of type `string`: [`AuditText`], or an `Option` of it.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not text in the audit log",
        label = "the catalog says that this is a string",
        note = "text is `&str`, `String`, `Cow<str>`, `Uuid`, an `Option` of these, or a type that implements `AuditText`",
        note = "to record what its `Display` prints, write `display(..)` around the value",
        note = "a `Secret` is never recorded; name what identifies it instead, such as the id or the last digits of a key"
    )]
    TextValue;

    /// A value of a metadata key of type `number`: an integer or float, or an `Option` of one.
    ///
    /// Integers beyond 64 bits become floats, as in JSON. NaN and infinities are left out and
    /// listed in `truncated`.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a number in the audit log",
        label = "the catalog says that this is a number",
        note = "a number is an integer or a float, or an `Option` of one"
    )]
    NumberValue;

    /// A value of a metadata key of type `boolean`: `bool`, or `Option<bool>`.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a boolean in the audit log",
        label = "the catalog says that this is a boolean",
        note = "a boolean is a `bool` or an `Option<bool>`"
    )]
    BooleanValue;

    /// A metadata value of any type, for code without a catalog to check against: text, numbers,
    /// `bool`, and `Option` of them.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a metadata value",
        label = "expected text, a number or a boolean",
        note = "metadata is text (`&str`, `String`, `Cow<str>`, `Uuid`, or a type that implements `AuditText`), a number, a `bool`, or an `Option` of these"
    )]
    MetadataValue;
}

impl<T: AuditText + ?Sized> TextValue for T {
    fn append(&self, entry: Entry<'_>) {
        entry.set_text(|out| self.audit_text(out));
    }
}

impl<T: AuditText + ?Sized> MetadataValue for T {
    fn append(&self, entry: Entry<'_>) {
        entry.set_text(|out| self.audit_text(out));
    }
}

macro_rules! plain_values {
    ($trait:ident: $($ty:ty => $value:expr),* $(,)?) => {$(
        impl $trait for $ty {
            fn append(&self, entry: Entry<'_>) {
                let value: fn($ty) -> Value<'static> = $value;
                entry.set(value(*self));
            }
        }

        impl $trait for &$ty {
            fn append(&self, entry: Entry<'_>) {
                $trait::append(*self, entry);
            }
        }

        impl MetadataValue for $ty {
            fn append(&self, entry: Entry<'_>) {
                $trait::append(self, entry);
            }
        }
    )*};
}
plain_values! { NumberValue:
    i8 => |n| Value::Integer(n.into()),
    i16 => |n| Value::Integer(n.into()),
    i32 => |n| Value::Integer(n.into()),
    i64 => Value::Integer,
    isize => |n| integer(n as i128),
    i128 => integer,
    u8 => |n| Value::Integer(n.into()),
    u16 => |n| Value::Integer(n.into()),
    u32 => |n| Value::Integer(n.into()),
    u64 => |n| integer(n.into()),
    usize => |n| integer(n as i128),
    u128 => |n| i128::try_from(n).map_or(Value::Float(n as f64), integer),
    f32 => |n| Value::Float(n.into()),
    f64 => Value::Float,
}
plain_values! { BooleanValue: bool => Value::Boolean }

fn integer(number: i128) -> Value<'static> {
    if let Ok(number) = i64::try_from(number) {
        Value::Integer(number)
    } else if let Ok(number) = u64::try_from(number) {
        Value::Unsigned(number)
    } else {
        Value::Float(number as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::buffer::Buffer;

    fn captured(value: &(impl MetadataValue + ?Sized)) -> Vec<String> {
        let mut buffer = Buffer::default();
        value.append(Entry {
            writer: buffer.writer(),
            owner: Owner::Event,
            key: "key",
        });
        buffer
            .iter(0)
            .filter_map(|field| field.metadata())
            .map(|(_, value)| format!("{value:?}"))
            .collect()
    }

    #[test]
    fn every_accepted_type_is_written_as_its_json_type() {
        let id = uuid::Uuid::nil();
        assert_eq!(captured("a"), [r#"Text("a")"#]);
        assert_eq!(captured(&String::from("a")), [r#"Text("a")"#]);
        assert_eq!(captured(&Cow::Borrowed("a")), [r#"Text("a")"#]);
        assert_eq!(captured(&&Arc::<str>::from("a")), [r#"Text("a")"#]);
        assert_eq!(
            captured(&id),
            [r#"Text("00000000-0000-0000-0000-000000000000")"#]
        );
        assert_eq!(captured(&7_u8), ["Integer(7)"]);
        assert_eq!(captured(&u64::MAX), ["Unsigned(18446744073709551615)"]);
        assert_eq!(captured(&0.5_f32), ["Float(0.5)"]);
        assert_eq!(captured(&true), ["Boolean(true)"]);
        assert_eq!(captured(&Some("a")), [r#"Text("a")"#]);
    }

    #[test]
    fn an_absent_value_leaves_the_key_out() {
        assert!(captured(&None::<&str>).is_empty());
        assert!(captured(&None::<i64>).is_empty());
    }

    #[test]
    fn integers_beyond_64_bits_become_floats() {
        assert_eq!(captured(&u128::MAX), ["Float(3.402823669209385e38)"]);
    }
}
