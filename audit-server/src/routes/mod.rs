//! The handlers, one file for each resource, and the table of routes.

mod actions;
mod events;
mod exports;
mod fallback;
mod faults;
mod local;
mod organizations;
mod paging;
mod portal;
mod query;
mod route;
mod schemas;
mod stream;
mod table;

pub(crate) use fallback::{method_not_allowed, not_found};
pub(crate) use route::{Access, RouteList};
pub(crate) use table::routes;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {faults::check_fault, paging::check_cursor};
