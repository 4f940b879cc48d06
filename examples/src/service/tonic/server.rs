//! The service on tonic: layers, sign-in, and in `documents` the methods.

mod documents;

use std::io;

use audit_tower::{AuditLayer, Recorder};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::InterceptorLayer;
use tonic::transport::Server;
use tonic::{Request, Status};

use super::{AppError, AppState, CurrentUser};
use proto::documents_server::DocumentsServer;

/// What is made of `proto/documents.proto`.
#[expect(
    missing_docs,
    clippy::allow_attributes_without_reason,
    reason = "generated; the comments are in the .proto"
)]
pub mod proto {
    tonic::include_proto!("documents.v1");
}

/// Serves until `stop` is done, and then to the end of what is under way.
///
/// The recorder is not shut down: that comes after, so that the last events are delivered.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    recorder: Recorder,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let signed_in = state.clone();
    Server::builder()
        // In tonic the layer that is added first runs first: the call gets its user, then its
        // scope.
        .layer(InterceptorLayer::new(move |call| {
            Ok(authenticate(&signed_in, call))
        }))
        .layer(AuditLayer::new(recorder).principal::<CurrentUser>())
        .add_service(DocumentsServer::new(documents::Service { state }))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop)
        .await
        .map_err(io::Error::other)
}

/// Puts the user of the session into the call's extensions. Who is not signed in is refused by the
/// method, so that the refusal is in the trail.
fn authenticate(state: &AppState, mut call: Request<()>) -> Request<()> {
    let header = call.metadata().get("authorization");
    let user = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| state.authenticate(value));
    if let Some(user) = user {
        call.extensions_mut().insert(user);
    }
    call
}

/// The user that a call comes from.
fn user<T>(call: &Request<T>) -> Result<CurrentUser, AppError> {
    let user = call.extensions().get::<CurrentUser>();
    user.cloned().ok_or(AppError::Unauthorized)
}

impl From<AppError> for Status {
    fn from(error: AppError) -> Self {
        let message = error.message();
        match error {
            AppError::Unauthorized => Status::unauthenticated(message),
            AppError::Forbidden => Status::permission_denied(message),
            AppError::NotFound => Status::not_found(message),
            AppError::Invalid(_) => Status::invalid_argument(message),
        }
    }
}
