//! The application: routes, middleware and server.

use std::io;
use std::pin::pin;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use audit_actix::{AuditMiddleware, Recorder};
use tokio::net::TcpListener;

use super::{account, api_keys, documents, members, sessions};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Deadline for open connections on shutdown, in seconds.
const SHUTDOWN_SECONDS: u64 = 5;

/// Adds the routes.
fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/sessions", web::post().to(sessions::sign_in))
        .route("/documents", web::get().to(documents::list))
        .route("/documents", web::post().to(documents::create))
        .route("/documents/{document}", web::delete().to(documents::delete))
        .route(
            "/documents/{document}/pages/{per_sheet}",
            web::get().to(documents::download),
        )
        .route(
            "/documents/{document}/shares",
            web::post().to(documents::share),
        )
        .route("/members", web::post().to(members::invite))
        .route("/members/{member}", web::delete().to(members::remove))
        .route("/api-keys", web::post().to(api_keys::create))
        .route("/api-keys/{api_key}", web::delete().to(api_keys::revoke))
        .route("/account/password", web::put().to(account::change_password))
        .route("/account/mfa", web::post().to(account::enable_mfa));
}

/// Serves until `stop` completes and the open requests have ended.
///
/// The recorder is shut down by the caller after that, so that the last events are delivered.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    recorder: Recorder,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let audit = AuditMiddleware::new(recorder).principal::<CurrentUser>();
    let state = web::Data::new(state);
    let app = move || {
        // In actix-web the middleware that is wrapped last runs first: the request id is set, the
        // user is found, then the scope opens.
        App::new()
            .app_data(web::Data::clone(&state))
            .configure(routes)
            .wrap(audit.clone())
            .wrap(from_fn(sessions::authenticate))
            .wrap(from_fn(sessions::request_id))
    };
    let server = HttpServer::new(app)
        // The caller decides when the server stops.
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS)
        // A disconnected client cancels its request, as in axum.
        .h1_allow_half_closed(false)
        .workers(2)
        .listen(listener.into_std()?)?
        .run();
    let handle = server.handle();
    let mut server = pin!(server);
    tokio::select! {
        ended = &mut server => return ended,
        () = stop => {}
    }
    // The server has to be polled while it stops.
    let (ended, ()) = tokio::join!(server, handle.stop(true));
    ended
}
