//! What happened, once: the event and its parts.
//!
//! An [`Event`] is one packed buffer from the start. Builders and drafts append facts to it,
//! accessors decode them, and the dispatcher's thread turns it into JSON. That keeps the audited
//! code at one allocation per event.

mod actor;
mod builder;
mod capture;
mod context;
#[allow(
    clippy::module_inception,
    reason = "`event::event` is the file of the type the module is named for"
)]
mod event;
mod facts;
mod id;
#[cfg(feature = "spool")]
mod packed;
mod target;
mod time;
mod value;
#[cfg(any(feature = "workos", feature = "testing", feature = "json-lines"))]
pub(crate) mod wire;
mod writer;

pub use actor::{Actor, ActorKind, ActorRef};
pub use builder::{EventBuilder, EventError};
pub use capture::{AuditId, AuditText, BooleanValue, MetadataValue, NumberValue, TextValue};
pub use context::Context;
pub use event::{Event, Metadata, Targets};
pub use id::{EventId, OrganizationId};
pub use target::{Target, TargetRef};
pub use value::{Text, Value};

pub(crate) use builder::key_error;
#[cfg(feature = "spool")]
pub(crate) use packed::ID_AT;
#[cfg(feature = "workos")]
pub(crate) use time::to_millis;
pub(crate) use time::{from_millis, now_millis};
pub(crate) use value::MAX_VALUE_CHARS;
#[cfg(any(feature = "workos", feature = "testing", feature = "json-lines"))]
pub(crate) use value::RESERVED_KEYS;
