//! Validation of request bodies. For an event, first its form (422), then the service's limits and
//! the action's schema (400).
//!
//! Pure: no database, no HTTP. The rules come from the WorkOS API reference
//! (<https://workos.com/docs/reference/audit-logs/event/create>); where it is silent, the function
//! that makes the choice documents it.

mod compiled_schema;
mod definition;
mod event;
mod export;
mod json_schema;
mod json_type;
mod limits;
mod portal;
mod retention;
mod violation;

pub(crate) use compiled_schema::CompiledSchema;
pub(crate) use definition::{Definition, read_definition};
pub(crate) use event::{EventForm, FormError, read_event};
pub(crate) use export::read_export;
pub(crate) use limits::check_limits;
pub(crate) use portal::read_portal;
pub(crate) use retention::read_retention;
pub(crate) use violation::Violation;
