//! The middleware: checks and transformations around the handlers.

mod auth;
mod fault;
mod host;
mod json_error;
mod origin;
mod rate;

pub(crate) use auth::{require_key, require_key_if_remote};
pub(crate) use fault::inject_fault;
pub(crate) use host::check_host;
pub(crate) use json_error::as_json;
pub(crate) use origin::check_origin;
pub(crate) use rate::limit_rate;
