//! The records that the server keeps, as plain data.

mod event;
mod export_filters;
mod filter;
mod organization;
mod stats;

#[cfg(test)]
pub(crate) use event::tests::stored;
pub use event::{EventStatus, StoredEvent};
pub(crate) use export_filters::ExportFilters;
pub use filter::EventFilter;
pub use organization::Organization;
pub(crate) use organization::is_organization_id;
pub use stats::Stats;
