//! The actor of an event.

use std::fmt;

use super::buffer::insert_last;
use super::capture::{AuditId, AuditText, Entry, MetadataValue};
use crate::event::buffer::{Buffer, Owner, Tag, Value};

/// The kind of an actor.
///
/// On the wire it is the actor's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorKind {
    /// A person who signed in.
    User,
    /// A program of the customer or of the product, such as a worker.
    Service,
    /// A caller known only by its API key.
    ApiKey,
    /// The product itself, such as a scheduled clean-up.
    System,
    /// A client that did not sign in.
    Anonymous,
    /// An unknown actor: none was set. The event is kept, and a log line gives the remedy.
    Unresolved,
}

impl ActorKind {
    const ALL: [ActorKind; 6] = [
        Self::User,
        Self::Service,
        Self::ApiKey,
        Self::System,
        Self::Anonymous,
        Self::Unresolved,
    ];

    /// Returns the actor's `type` on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::ApiKey => "api_key",
            Self::System => "system",
            Self::Anonymous => "anonymous",
            Self::Unresolved => "unresolved",
        }
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The actor of an event: a kind, an id, and optionally a name and metadata.
///
/// There is no default actor. Where the caller is unknown, choose one explicitly:
/// [`Actor::anonymous`] or [`Actor::system`].
///
/// ```
/// use audit_core::{Actor, ActorKind};
///
/// let actor = Actor::user("user_1").name("Ada Lovelace").metadata("role", "admin");
/// assert_eq!(actor.kind(), ActorKind::User);
/// assert_eq!(actor.id(), "user_1");
/// assert_eq!(actor.display_name(), Some("Ada Lovelace"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Actor {
    buffer: Buffer,
}

impl Actor {
    /// Returns a person who signed in.
    pub fn user(id: impl AuditId) -> Self {
        Self::new(ActorKind::User, id)
    }

    /// Returns a program, by its name or id.
    pub fn service(id: impl AuditId) -> Self {
        Self::new(ActorKind::Service, id)
    }

    /// Returns a caller known only by its API key.
    ///
    /// `id` is the key's id or prefix, never the key.
    pub fn api_key(id: impl AuditId) -> Self {
        Self::new(ActorKind::ApiKey, id)
    }

    /// Returns the product itself.
    pub fn system() -> Self {
        Self::new(ActorKind::System, "system")
    }

    /// Returns a client that did not sign in.
    pub fn anonymous() -> Self {
        Self::new(ActorKind::Anonymous, "anonymous")
    }

    pub(crate) fn unresolved() -> Self {
        Self::new(ActorKind::Unresolved, "unresolved")
    }

    fn new(kind: ActorKind, id: impl AuditId) -> Self {
        let mut buffer = Buffer::part();
        buffer
            .writer()
            .push_prefixed(Tag::Actor, kind.as_str(), "actor.id", |out| {
                id.write_id(out)
            });
        Self { buffer }
    }

    /// Sets the display name.
    pub fn name(mut self, name: impl AuditText) -> Self {
        self.buffer
            .writer()
            .push_text(Tag::ActorName, "actor.name", |out| name.audit_text(out));
        self
    }

    /// Sets a metadata value of the actor, such as a role.
    ///
    /// Declare the key and its type in the catalog's `[actor.metadata]`.
    pub fn metadata(mut self, key: &str, value: impl MetadataValue) -> Self {
        value.append(Entry {
            writer: self.buffer.writer(),
            owner: Owner::Actor,
            key,
        });
        self
    }

    /// Sets the id of the principal for whom the actor acts, such as the customer whose account a
    /// support agent has opened.
    ///
    /// The event's metadata has it under `on_behalf_of`.
    pub fn on_behalf_of(mut self, id: impl AuditId) -> Self {
        self.buffer
            .writer()
            .push_metadata_text(Owner::Event, "on_behalf_of", |out| id.write_id(out));
        self
    }

    /// Returns the kind of actor.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        self.view()
            .map_or(ActorKind::Unresolved, |actor| actor.kind())
    }

    /// Returns the actor's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.view().map_or("", |actor| actor.id())
    }

    /// Returns the display name, if one was set.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.view()?.name()
    }

    fn view(&self) -> Option<ActorRef<'_>> {
        ActorRef::find(&self.buffer, 0)
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("kind", &self.kind())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// The actor of an event, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorRef<'a> {
    kind: ActorKind,
    id: &'a str,
    name: Option<&'a str>,
    metadata: Vec<(&'a str, Value<'a>)>,
}

impl<'a> ActorRef<'a> {
    /// Returns the last actor in the buffer.
    pub(super) fn find(buffer: &'a Buffer, header: usize) -> Option<Self> {
        let mut found: Option<Self> = None;
        for field in buffer.iter(header) {
            match (field.tag, &mut found) {
                (Tag::Actor, found) => {
                    let (kind, id) = field.prefixed();
                    let kind = ActorKind::ALL
                        .into_iter()
                        .find(|known| known.as_str() == kind)?;
                    *found = Some(Self {
                        kind,
                        id,
                        name: None,
                        metadata: Vec::new(),
                    });
                }
                (Tag::ActorName, Some(actor)) => actor.name = Some(field.text()),
                (Tag::ActorMetadata, Some(actor)) => {
                    insert_last(&mut actor.metadata, field.metadata());
                }
                _ => {}
            }
        }
        found
    }

    /// Returns the kind of actor.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    /// Returns the actor's id.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Returns the display name, if one was set.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// Returns the metadata of the actor.
    #[must_use]
    pub fn metadata(&self) -> &[(&'a str, Value<'a>)] {
        &self.metadata
    }
}
