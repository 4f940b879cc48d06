//! Accepts connections and serves HTTP/1 on them until shutdown.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tower_service::Service;

use crate::app::App;
use crate::connection::{ConnectionCutter, CuttableStream};
use crate::router::router;

/// The time for requests in progress to finish after a shutdown request.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// The number of open connections; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;

/// The delay after a failed accept, caused by a lack of file descriptors for example.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves until `stopped`, then for at most [`SHUTDOWN_GRACE`].
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    let router = router(Arc::clone(&app));
    let connections = GracefulShutdown::new();
    let accept_all = async {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            match accept(&listener, &permits).await {
                Ok((stream, permit)) => {
                    let connection = connection(stream, router.clone(), app.read_timeout);
                    let connection = connections.watch(connection);
                    tokio::spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "a connection ended early");
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::error!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = app.sweep() => {}
        // A message and a dropped sender both mean stop.
        _ = stopped => {}
    }
    drop(listener);
    app.stop_streams();
    if tokio::time::timeout(SHUTDOWN_GRACE, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("aborted requests in progress at shutdown");
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Responses are small, and a client waits for each.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY on a connection");
    }
    Ok((stream, permit))
}

fn connection(
    stream: TcpStream,
    router: Router,
    read_timeout: Duration,
) -> http1::Connection<
    TokioIo<CuttableStream>,
    impl hyper::service::Service<
        Request<Incoming>,
        Response = Response,
        Error = Infallible,
        Future: Send,
    >,
> {
    let cutter = ConnectionCutter::default();
    let stream = CuttableStream::new(stream, cutter.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(cutter.clone());
        // A router is always ready.
        router.clone().call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        .serve_connection(TokioIo::new(stream), service)
}
