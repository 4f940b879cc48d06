//! The service on actix-web: routes, middleware, handlers.
//!
//! A `Path` of actix-web cannot be taken apart in a pattern, so the attribute names what it holds:
//! `*document`.

mod account;
mod api_keys;
mod documents;
mod error;
mod members;
mod sessions;

use std::io;
use std::pin::pin;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use audit_actix::{AuditMiddleware, Recorder};
use tokio::net::TcpListener;

use super::{AppState, CurrentUser};

/// How long connections may go on after the service was told to stop, in seconds.
const GRACE: u64 = 5;

/// The routes.
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

/// Serves until `stop` is done, and then to the end of what is under way.
///
/// The recorder is not shut down: that comes after, so that the last events are delivered.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    recorder: Recorder,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let audit = AuditMiddleware::new(recorder).principal::<CurrentUser>();
    let state = web::Data::new(state);
    let app = move || {
        // In actix-web the middleware that is wrapped last runs first: the request gets its id,
        // then its user, then its scope.
        App::new()
            .app_data(web::Data::clone(&state))
            .configure(routes)
            .wrap(audit.clone())
            .wrap(from_fn(sessions::authenticate))
            .wrap(from_fn(sessions::request_id))
    };
    let server = HttpServer::new(app)
        // Whoever runs this decides when it ends.
        .disable_signals()
        .shutdown_timeout(GRACE)
        // A client that hangs up ends its request, as in axum.
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
    // The server stops only while it runs.
    let (ended, ()) = tokio::join!(server, handle.stop(true));
    ended
}
