//! Accepts every event: the far end of the delivery benchmark.
//!
//! It is a process of its own, so that its work is not counted.

use std::convert::Infallible;
use std::io::Write as _;

use audit_benches::Result;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

async fn accept(
    request: Request<hyper::body::Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    // A body that breaks off needs no handling here; the client reports it.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::from(r#"{"success":true}"#));
    *response.status_mut() = hyper::StatusCode::CREATED;
    Ok(response)
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "http://{}", listener.local_addr()?)?;
        out.flush()?;
        drop(out);
        loop {
            let (connection, _) = listener.accept().await?;
            connection.set_nodelay(true)?;
            let serve = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service_fn(accept));
            tokio::spawn(async move { drop(serve.await) });
        }
    })
}
