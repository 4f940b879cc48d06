//! One file per route: a valid request, and a test for each of its own statuses.

pub(crate) mod create_event;
pub(crate) mod create_export;
pub(crate) mod create_schema;
pub(crate) mod generate_link;
pub(crate) mod get_configuration;
pub(crate) mod get_export;
pub(crate) mod get_retention;
pub(crate) mod list_actions;
pub(crate) mod list_schemas;
pub(crate) mod set_retention;
