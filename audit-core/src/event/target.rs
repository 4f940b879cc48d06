//! The targets of an event.

use std::fmt;

use super::capture::{AuditId, AuditText, Entry, MetadataValue};
use crate::event::buffer::{Buffer, Owner, Tag, Value};

/// A target of an event: a type of the catalog, an id, and optionally a name and metadata.
///
/// ```
/// use audit_core::Target;
///
/// let target = Target::new("document", 42).name("Plan 2027").metadata("pages", 12);
/// assert_eq!((target.kind(), target.id()), ("document", "42"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Target {
    buffer: Buffer,
}

impl Target {
    /// Returns a target of a type, by its id; an `Option` that is `None` becomes `unresolved`.
    pub fn new(kind: &str, id: impl AuditId) -> Self {
        let mut buffer = Buffer::part();
        buffer
            .writer()
            .push_prefixed(Tag::Target, kind, "target.id", |out| id.write_id(out));
        Self { buffer }
    }

    /// Sets the display name.
    pub fn name(mut self, name: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::TargetName, "target.name", |out| name.audit_text(out));
        self
    }

    /// Sets a metadata value of the target.
    ///
    /// Declare the key and its type in the catalog's `[target.TYPE.metadata]`.
    pub fn metadata(mut self, key: &str, value: impl MetadataValue) -> Self {
        value.append(Entry {
            writer: self.buffer.writer(),
            owner: Owner::Target,
            key,
        });
        self
    }

    /// Returns the target's type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.buffer
            .iter(0)
            .next()
            .map_or("", |field| field.prefixed().0)
    }

    /// Returns the target's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.buffer
            .iter(0)
            .next()
            .map_or("", |field| field.prefixed().1)
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("kind", &self.kind())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// A target of an event, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetRef<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) metadata: Vec<(&'a str, Value<'a>)>,
}

impl<'a> TargetRef<'a> {
    /// Returns the target's type.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// Returns the target's id; `unresolved` if it was never known, as after a failed creation.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Returns the display name, if one was set.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// Returns the metadata of the target.
    #[must_use]
    pub fn metadata(&self) -> &[(&'a str, Value<'a>)] {
        &self.metadata
    }
}
