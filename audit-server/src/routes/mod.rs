//! One file for each resource.

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
mod schemas;
mod stream;
mod table;

pub(crate) use fallback::as_json;
pub(crate) use table::all;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {faults::check_fault, paging::check_cursor};

/// Whether a path is one of the server's own, and no route of the service, which neither faults nor
/// the rate limit touch.
pub(crate) fn is_own(path: &str) -> bool {
    let at_or_under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path == "/"
        || ["/_local", "/assets"].into_iter().any(at_or_under)
        || (at_or_under("/portal") && path != "/portal/generate_link")
}
