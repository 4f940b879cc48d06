//! The context of an event.

use std::fmt;

use super::capture::AuditText;
use crate::event::buffer::{Buffer, Owner, Tag};

/// The context of an event: the location, the user agent, and the ids of the request and the trace.
///
/// A web layer sets it. Without a request the location of an event is `internal`.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Context {
    buffer: Buffer,
}

impl Context {
    /// Returns an empty context.
    pub fn new() -> Self {
        Self {
            buffer: Buffer::part(),
        }
    }

    /// Sets the location: an address, or another place.
    pub fn location(mut self, location: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::Location, "context.location", |out| {
                location.audit_text(out)
            });
        self
    }

    /// Sets the user agent.
    pub fn user_agent(mut self, user_agent: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::UserAgent, "context.user_agent", |out| {
                user_agent.audit_text(out)
            });
        self
    }

    /// Sets the id of the request; the event's metadata has it under `request_id`.
    pub fn request_id(mut self, id: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_metadata_text(Owner::Event, "request_id", |out| id.audit_text(out));
        self
    }

    /// Sets the id of the distributed trace; the event's metadata has it under `trace_id`.
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
