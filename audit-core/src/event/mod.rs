//! The event and its parts.
//!
//! An [`Event`] is one packed buffer from the start. Builders and drafts append fields to it,
//! accessors decode them, and the dispatcher's thread turns it into JSON. The audited code needs
//! one allocation per event.

mod actor;
mod buffer;
mod builder;
mod capture;
mod context;
mod escape;
mod event;
mod id;
mod outcome;
#[cfg(feature = "spool")]
mod packed;
mod secret;
mod target;
mod time;
#[cfg(any(feature = "workos", feature = "testing", feature = "json-lines"))]
pub(crate) mod wire;
mod write;

pub use self::actor::{Actor, ActorKind, ActorRef};
pub(crate) use self::buffer::MAX_VALUE_CHARS;
#[cfg(any(feature = "workos", feature = "testing", feature = "json-lines"))]
pub(crate) use self::buffer::RESERVED_KEYS;
pub use self::buffer::{Text, Value};
pub(crate) use self::builder::key_error;
pub use self::builder::{EventBuilder, EventError};
pub use self::capture::{AuditId, AuditText, BooleanValue, MetadataValue, NumberValue, TextValue};
pub use self::context::Context;
pub(crate) use self::escape::pieces;
pub use self::event::{Event, Metadata, Targets};
pub use self::id::{EventId, OrganizationId};
pub use self::outcome::{AuditOutcome, Outcome};
#[cfg(feature = "spool")]
pub(crate) use self::packed::ID_AT;
pub use self::secret::Secret;
pub use self::target::{Target, TargetRef};
#[cfg(feature = "workos")]
pub(crate) use self::time::to_millis;
pub(crate) use self::time::{from_millis, now_millis};
