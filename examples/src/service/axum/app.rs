//! The application: routes, layers and server.

use std::io;
use std::net::SocketAddr;

use audit_tower::{AuditLayer, Recorder};
use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post, put};
use tokio::net::TcpListener;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use super::{account, api_keys, documents, members, sessions};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Returns the application.
///
/// Serve it with `into_make_service_with_connect_info`, so that events have the client's address.
pub fn app(state: AppState, recorder: Recorder) -> Router {
    Router::new()
        .route("/sessions", post(sessions::sign_in))
        .route("/documents", get(documents::list).post(documents::create))
        .route("/documents/{document}", delete(documents::delete))
        .route(
            "/documents/{document}/pages/{per_sheet}",
            get(documents::download),
        )
        .route("/documents/{document}/shares", post(documents::share))
        .route("/members", post(members::invite))
        .route("/members/{member}", delete(members::remove))
        .route("/api-keys", post(api_keys::create))
        .route("/api-keys/{api_key}", delete(api_keys::revoke))
        .route("/account/password", put(account::change_password))
        .route("/account/mfa", post(account::enable_mfa))
        // In axum the layer that is added last runs first: the request id is set, the user is
        // found, then the scope opens.
        .layer(AuditLayer::new(recorder).principal::<CurrentUser>())
        .layer(middleware::from_fn_with_state(
            state.clone(),
            sessions::authenticate,
        ))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(state)
}

/// Serves until `stop` completes and the open requests have ended.
///
/// The recorder is shut down by the caller after that, so that the last events are delivered.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    recorder: Recorder,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = app(state, recorder).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
}
