//! The servers of the measurement: two audit services and the audited one, each on a free port.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use audit_tower::{Actor, AuditLayer, Recorder, audited};
use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::routing::{delete, post};
use tokio::net::TcpListener;

/// A server and its address.
pub(super) struct Server<F> {
    pub(super) address: SocketAddr,
    /// Serves until it is dropped.
    pub(super) serve: F,
}

async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Starts an audit service that accepts every event at once.
pub(super) async fn healthy() -> io::Result<Server<impl Future<Output = io::Result<()>>>> {
    let (listener, address) = listen().await?;
    let accepted = async || {
        (
            [(header::CONTENT_TYPE, "application/json")],
            r#"{"success":true}"#,
        )
    };
    let app = Router::new().route("/audit_logs/events", post(accepted));
    let serve = axum::serve(listener, app).into_future();
    Ok(Server { address, serve })
}

/// Starts an audit service that accepts connections and never responds.
pub(super) async fn stalled() -> io::Result<Server<impl Future<Output = io::Result<()>>>> {
    let (listener, address) = listen().await?;
    let serve = async move {
        // Kept open, since closing a connection would be a response. The dispatcher opens a few per
        // time-out.
        let mut connections = Vec::new();
        loop {
            connections.push(listener.accept().await?);
        }
    };
    Ok(Server { address, serve })
}

/// Starts the service whose requests are measured; each leaves one audit event.
pub(super) async fn service(
    recorder: Recorder,
) -> io::Result<Server<impl Future<Output = io::Result<()>>>> {
    let (listener, address) = listen().await?;
    let layer = AuditLayer::new(recorder)
        .principal_with(|_| Some(Actor::user("user_1").name("Ada Lovelace")));
    let app = Router::new()
        .route("/documents/{id}", delete(delete_document))
        .layer(layer)
        .into_make_service_with_connect_info::<SocketAddr>();
    let serve = axum::serve(listener, app).into_future();
    Ok(Server { address, serve })
}

/// Leaves an event and does nothing else, so that only the event is measured.
#[audited(action = "document.delete", target = "id")]
async fn delete_document(Path(id): Path<String>) -> StatusCode {
    StatusCode::NO_CONTENT
}
