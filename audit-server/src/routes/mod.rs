//! One file for each resource.

mod actions;
mod events;
mod exports;
mod fallback;
mod faults;
mod local;
mod organizations;
mod paging;
mod schemas;
mod table;

pub(crate) use fallback::as_json;
pub(crate) use table::all;

/// Whether a path is one of the server's own, which neither faults nor the rate limit touch.
pub(crate) fn is_own(path: &str) -> bool {
    path == "/_local" || path.starts_with("/_local/")
}
