//! The table of routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::{
    actions, events, exports, fallback, faults, local, organizations, portal, schemas, stream,
};
use crate::app::App;
use crate::auth::{require_key, require_key_if_remote};
use crate::viewer;

/// Every route as people read it; the answer to an unknown one names the nearest of these.
pub(super) const ROUTES: [(&str, &str); 23] = [
    ("POST", "/audit_logs/events"),
    ("GET", "/audit_logs/actions"),
    ("GET", "/audit_logs/actions/{actionName}/schemas"),
    ("POST", "/audit_logs/actions/{actionName}/schemas"),
    ("POST", "/audit_logs/exports"),
    ("GET", "/audit_logs/exports/{id}"),
    ("GET", "/organizations/{id}/audit_logs_retention"),
    ("PUT", "/organizations/{id}/audit_logs_retention"),
    ("GET", "/organizations/{id}/audit_log_configuration"),
    ("POST", "/portal/generate_link"),
    ("GET", "/portal"),
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/_local/events"),
    ("GET", "/_local/organizations"),
    ("POST", "/_local/organizations"),
    ("GET", "/_local/stream"),
    ("GET", "/_local/wait-for"),
    ("GET", "/_local/stats"),
    ("GET", "/_local/faults"),
    ("POST", "/_local/faults"),
    ("DELETE", "/_local/faults"),
    ("GET", "/_local"),
];

pub(crate) fn all(app: &Arc<App>) -> Router<Arc<App>> {
    let service = Router::new()
        .route("/audit_logs/actions", get(actions::list))
        .route(
            "/audit_logs/actions/{action}/schemas",
            get(schemas::list).post(schemas::create),
        )
        .route("/audit_logs/exports", post(exports::create))
        .route("/audit_logs/exports/{id}", get(exports::get))
        .route(
            "/organizations/{id}/audit_logs_retention",
            get(organizations::retention).put(organizations::set_retention),
        )
        .route(
            "/organizations/{id}/audit_log_configuration",
            get(organizations::configuration),
        )
        .route("/portal/generate_link", post(portal::generate_link))
        .route_layer(from_fn_with_state(Arc::clone(app), require_key));
    let local = Router::new()
        .route("/_local", get(local::index))
        .route("/_local/events", get(local::events))
        .route(
            "/_local/organizations",
            get(local::organizations).post(local::add_organization),
        )
        .route("/_local/stream", get(stream::stream))
        .route("/_local/wait-for", get(stream::wait_for))
        .route("/_local/stats", get(local::stats))
        .route(
            "/_local/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route_layer(from_fn_with_state(Arc::clone(app), require_key_if_remote));
    Router::new()
        .merge(service)
        .merge(local)
        // Checks the key itself, as a request without one is worth showing too.
        .route("/audit_logs/events", post(events::create))
        // Opened by the signature in the link, and by nothing else.
        .route("/exports/{file}", get(exports::download))
        // The page has no secret; its data come from `/_local`, which may ask for the key.
        .route("/", get(async || viewer::page("/_local", None)))
        .route("/assets/viewer.css", get(viewer::style))
        .route("/assets/viewer.js", get(viewer::script))
        // Opened by a link and its cookie.
        .route("/portal", get(portal::open))
        .route("/portal/events", get(portal::events))
        .route("/portal/stream", get(portal::stream))
        .route("/health", get(local::health))
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .fallback(fallback::not_found)
}
