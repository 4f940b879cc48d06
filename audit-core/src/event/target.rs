//! On what it was done.

use std::fmt;

use super::capture::{AuditId, AuditText, Entry, MetadataValue};
use crate::event::buffer::{Buffer, Owner, Tag, Value};

/// On what it was done: a type that the catalog knows, an id, and what else is worth knowing about
/// it.
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
    /// A target of a type, by its id; `unresolved` for an `Option` that is `None`.
    pub fn new(kind: &str, id: impl AuditId) -> Self {
        let mut buffer = Buffer::part();
        buffer
            .writer()
            .push_prefixed(Tag::Target, kind, "target.id", |out| id.write_id(out));
        Self { buffer }
    }

    /// The name that a reader of the log sees.
    pub fn name(mut self, name: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::TargetName, "target.name", |out| name.audit_text(out));
        self
    }

    /// A fact about the target. The key and its type belong into the catalog's
    /// `[target.TYPE.metadata]`.
    pub fn metadata(mut self, key: &str, value: impl MetadataValue) -> Self {
        value.append(Entry {
            writer: self.buffer.writer(),
            owner: Owner::Target,
            key,
        });
        self
    }

    /// The target's type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.buffer
            .iter(0)
            .next()
            .map_or("", |field| field.prefixed().0)
    }

    /// The target's id.
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
    /// The target's type.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// The target's id; `unresolved` if it was never known, as after a failed creation.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The target's name, if one was given.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// The facts about the target.
    #[must_use]
    pub fn metadata(&self) -> &[(&'a str, Value<'a>)] {
        &self.metadata
    }
}
