//! One file for each resource.

mod actions;
mod events;
mod exports;
mod fallback;
mod local;
mod organizations;
mod paging;
mod schemas;
mod table;

pub(crate) use fallback::as_json;
pub(crate) use table::all;
