//! The table of routes.

use super::route::{
    Access::{Key, KeyIfRemote},
    Route, delete, get, post, put,
};
use super::{actions, events, exports, faults, local, organizations, portal, schemas, stream};
use crate::viewer;

/// Returns every route of the server.
///
/// The router, `GET /_local` and the hint for an unknown path are all built from it, so they cannot
/// disagree.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        // Checks the key itself, since a rejected request is recorded even without one.
        post("/audit_logs/events", events::create),
        get("/audit_logs/actions", actions::list).access(Key),
        get("/audit_logs/actions/{actionName}/schemas", schemas::list).access(Key),
        post("/audit_logs/actions/{actionName}/schemas", schemas::create).access(Key),
        post("/audit_logs/exports", exports::create).access(Key),
        get("/audit_logs/exports/{id}", exports::get).access(Key),
        get(
            "/organizations/{id}/audit_logs_retention",
            organizations::retention,
        )
        .access(Key),
        put(
            "/organizations/{id}/audit_logs_retention",
            organizations::set_retention,
        )
        .access(Key),
        get(
            "/organizations/{id}/audit_log_configuration",
            organizations::configuration,
        )
        .access(Key),
        post("/portal/generate_link", portal::generate_link).access(Key),
        // Opened by a link and then by its cookie.
        get("/portal", portal::open),
        get("/portal/events", portal::events).unlisted(),
        get("/portal/stream", portal::stream).unlisted(),
        // The page has no secret; its data come from `/_local`, which may require the key.
        get("/", async || viewer::page("/_local", None)),
        get("/assets/viewer.css", viewer::style).unlisted(),
        get("/assets/viewer.js", viewer::script).unlisted(),
        // Only the signature in the link opens it.
        get("/exports/{file}", exports::download).unlisted(),
        get("/health", local::health),
        get("/_local/events", local::events).access(KeyIfRemote),
        get("/_local/organizations", local::organizations).access(KeyIfRemote),
        post("/_local/organizations", local::add_organization).access(KeyIfRemote),
        get("/_local/stream", stream::stream).access(KeyIfRemote),
        get("/_local/wait-for", stream::wait_for).access(KeyIfRemote),
        get("/_local/stats", local::stats).access(KeyIfRemote),
        get("/_local/faults", faults::list).access(KeyIfRemote),
        post("/_local/faults", faults::add).access(KeyIfRemote),
        delete("/_local/faults", faults::clear).access(KeyIfRemote),
        get("/_local", local::index).access(KeyIfRemote),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::route::RouteList;

    #[test]
    fn listed_routes_name_method_and_path() {
        let list = RouteList::of(&routes());
        let listed: Vec<_> = list
            .iter()
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        assert_eq!(listed.len(), 23);
        assert_eq!(listed.first().unwrap(), "POST /audit_logs/events");
        assert!(listed.contains(&"DELETE /_local/faults".to_owned()));
        assert!(!listed.contains(&"GET /exports/{file}".to_owned()));
    }
}
