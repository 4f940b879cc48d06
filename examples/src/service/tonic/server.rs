//! The server: its layers and its service.

use std::io;

use audit_tower::{AuditLayer, Recorder};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::InterceptorLayer;
use tonic::transport::Server;

use super::documents::Service;
use super::proto::documents_server::DocumentsServer;
use super::sessions::authenticate;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Serves until `stop` completes and the open calls have ended.
///
/// The recorder is shut down by the caller after that, so that the last events are delivered.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    recorder: Recorder,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let sessions = state.clone();
    Server::builder()
        // In tonic the layer that is added first runs first: the user is found, then the scope
        // opens.
        .layer(InterceptorLayer::new(move |call| {
            Ok(authenticate(&sessions, call))
        }))
        .layer(AuditLayer::new(recorder).principal::<CurrentUser>())
        .add_service(DocumentsServer::new(Service { state }))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop)
        .await
        .map_err(io::Error::other)
}
