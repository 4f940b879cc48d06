//! From where it was done.

use std::fmt;

use super::capture::AuditText;
use crate::event::buffer::{Buffer, Owner, Tag};

/// From where it was done: an address, a client, and the ids that tie the event to a request.
///
/// A web layer fills it. Without a request the location of an event is `internal`.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Context {
    buffer: Buffer,
}

impl Context {
    /// An empty context.
    pub fn new() -> Self {
        Self {
            buffer: Buffer::part(),
        }
    }

    /// An address, or another place.
    pub fn location(mut self, location: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::Location, "context.location", |out| {
                location.audit_text(out)
            });
        self
    }

    /// What the client calls itself.
    pub fn user_agent(mut self, user_agent: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::UserAgent, "context.user_agent", |out| {
                user_agent.audit_text(out)
            });
        self
    }

    /// The id of the request; the event's metadata names it under `request_id`.
    pub fn request_id(mut self, id: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_metadata_text(Owner::Event, "request_id", |out| id.audit_text(out));
        self
    }

    /// The id of the distributed trace; the event's metadata names it under `trace_id`.
    pub fn trace_id(mut self, id: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_metadata_text(Owner::Event, "trace_id", |out| id.audit_text(out));
        self
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
