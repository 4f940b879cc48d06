//! The router: every route, inside the middleware.

use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::{Extension, Router};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::middleware::{
    as_json, check_host, check_origin, inject_fault, limit_rate, require_key, require_key_if_remote,
};
use crate::routes::{Access, RouteList, method_not_allowed, not_found, routes};

/// Builds the router from the table of routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = routes();
    let list = RouteList::of(&routes);
    let mut key = Router::new();
    let mut key_if_remote = Router::new();
    let mut open = Router::new();
    for route in routes {
        let group = match route.access {
            Access::Key => &mut key,
            Access::KeyIfRemote => &mut key_if_remote,
            Access::Open => &mut open,
        };
        *group = std::mem::take(group).route(route.path, route.handler);
    }
    // The last layer runs first.
    open.merge(key.route_layer(from_fn_with_state(Arc::clone(&app), require_key)))
        .merge(
            key_if_remote.route_layer(from_fn_with_state(Arc::clone(&app), require_key_if_remote)),
        )
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(Extension(list))
        .layer(map_response(as_json))
        .layer(from_fn_with_state(Arc::clone(&app), limit_rate))
        .layer(from_fn_with_state(Arc::clone(&app), inject_fault))
        .layer(from_fn(check_origin))
        .layer(from_fn_with_state(Arc::clone(&app), check_host))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(app)
}
