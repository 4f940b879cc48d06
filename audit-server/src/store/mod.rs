//! The SQLite store: one connection behind one lock, one file for each kind of row.
//!
//! Nothing here depends on HTTP. A function takes a transaction and does one thing in it; the
//! caller decides what is atomic.

mod counters;
mod events;
mod exports;
mod idempotency;
mod open;
mod organizations;
mod page;
mod retention;
mod schemas;
mod store;

pub(crate) use counters::{count_duplicate, stats};
pub(crate) use events::{NewEvent, count_events, insert_event, last_event, list_events, list_page};
pub(crate) use exports::{ExportPosition, ExportRow, add_export, export_page, find_export};
pub(crate) use idempotency::{SavedResponse, find_response, save_response};
pub(crate) use open::OpenError;
pub(crate) use organizations::{add_organization, has_organization, list_organizations};
pub(crate) use page::{Order, Page, PageRequest, Position};
pub(crate) use retention::{enforce_retention, retention, set_retention};
pub(crate) use schemas::{
    ActionRow, SchemaRow, action_exists, action_names, add_schema, find_schema, list_actions,
    list_schemas,
};
pub(crate) use store::{Store, StoreError};
