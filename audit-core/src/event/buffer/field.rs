//! One field of a packed buffer, decoded on access.

use super::tag::Tag;
use super::value::{Value, text};

/// One field, still packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) tag: Tag,
    pub(super) bytes: &'a [u8],
}

impl<'a> Field<'a> {
    pub(crate) fn text(&self) -> &'a str {
        text(self.bytes)
    }

    /// Returns a prefix (a type or kind) and the text behind it.
    pub(crate) fn prefixed(&self) -> (&'a str, &'a str) {
        let (prefix, rest) = self.prefix();
        (prefix, text(rest))
    }

    /// Returns a metadata key and its value.
    pub(crate) fn metadata(&self) -> Option<(&'a str, Value<'a>)> {
        let (key, rest) = self.prefix();
        Some((key, Value::unpack(rest)?))
    }

    /// Returns the name by which the field is listed if it is cut or left out.
    pub(super) fn name(&self) -> &'a str {
        match self.tag {
            Tag::Action | Tag::DeniedAction => "action",
            Tag::Organization => "organization",
            Tag::Actor => "actor.id",
            Tag::ActorName => "actor.name",
            Tag::Target | Tag::EachTarget => "target.id",
            Tag::TargetName => "target.name",
            Tag::Location => "context.location",
            Tag::UserAgent => "context.user_agent",
            Tag::Truncated => self.text(),
            Tag::Metadata | Tag::ActorMetadata | Tag::TargetMetadata => self.prefix().0,
        }
    }

    /// Returns whether the bytes have the form that the tag requires, so that no accessor falls
    /// back.
    #[cfg(feature = "spool")]
    pub(super) fn is_valid(&self) -> bool {
        let is_text = |bytes| std::str::from_utf8(bytes).is_ok();
        let prefix = || {
            let (length, rest) = self.bytes.split_first_chunk::<2>()?;
            let (prefix, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            is_text(prefix).then_some(rest)
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
            Tag::Actor | Tag::Target | Tag::EachTarget => prefix().is_some_and(is_text),
            Tag::Metadata | Tag::ActorMetadata | Tag::TargetMetadata => {
                prefix().is_some_and(Value::is_valid)
            }
        }
    }

    fn prefix(&self) -> (&'a str, &'a [u8]) {
        let Some((length, rest)) = self.bytes.split_first_chunk::<2>() else {
            return ("", &[]);
        };
        match rest.split_at_checked(usize::from(u16::from_le_bytes(*length))) {
            Some((prefix, rest)) => (text(prefix), rest),
            None => ("", &[]),
        }
    }
}
