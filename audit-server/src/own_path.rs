//! Paths of the server's own routes.

/// Whether a path is one of the server's own, and no route of the service, which neither faults nor
/// the rate limit touch.
pub(crate) fn is_own_path(path: &str) -> bool {
    let at_or_under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path == "/"
        || ["/_local", "/assets"].into_iter().any(at_or_under)
        || (at_or_under("/portal") && path != "/portal/generate_link")
}
