//! The paths of the server's own routes.

/// Returns `true` for a path of the server itself, which faults and the rate limit never affect,
/// and `false` for a route of the service.
pub(crate) fn is_own_path(path: &str) -> bool {
    let at_or_under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    path == "/"
        || ["/_local", "/assets"].into_iter().any(at_or_under)
        || (at_or_under("/portal") && path != "/portal/generate_link")
}
