//! The response head decides the outcome: streaming bodies, upgrades, and methods without a body.

use std::sync::{Arc, Mutex};

use audit_tower::{AuditRoute, Outcome, Value, action};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::stream;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::support::{FORMS, Harness, OnDrop, app, read_until, request, send, serve};

fn audit() -> AuditRoute {
    AuditRoute::new(action!("document.delete"))
}

/// Returns a body of one chunk, followed by the result of a future.
fn streaming<F>(then: F) -> Body
where
    F: Future<Output = Result<&'static str, std::io::Error>> + Send + 'static,
{
    let first = stream::once(async { Ok("first") });
    Body::from_stream(stream::StreamExt::chain(first, stream::once(then)))
}

#[tokio::test]
async fn broken_stream_does_not_change_the_outcome() {
    let harness = Harness::new();
    let read = Arc::new(Notify::new());
    let is_read = Arc::clone(&read);
    let handler = || async {
        streaming(async move {
            is_read.notified().await;
            Err(std::io::Error::other("on purpose"))
        })
    };
    let app = Router::new().route("/", post(handler).layer(audit()));
    let mut stream = send(serve(app.layer(harness.layer())).await, "POST /", "").await;
    read_until(&mut stream, "first").await;
    read.notify_one();
    let mut rest = String::new();
    // The server closes the connection, and may reset it.
    drop(stream.read_to_string(&mut rest).await);
    assert!(
        !rest.contains("0\r\n\r\n"),
        "the body ended regularly: {rest}"
    );
    assert_eq!(harness.event().await.outcome(), Outcome::Succeeded);
}

#[tokio::test]
async fn disconnect_during_a_streaming_body_does_not_change_the_outcome() {
    let harness = Harness::new();
    let (signal, mut dropped) = mpsc::unbounded_channel();
    let handler = || async move {
        let signal = OnDrop(signal);
        streaming(async move {
            let _signal = signal;
            std::future::pending().await
        })
    };
    let app = Router::new().route("/", post(handler).layer(audit()));
    let mut stream = send(serve(app.layer(harness.layer())).await, "POST /", "").await;
    read_until(&mut stream, "first").await;
    assert_eq!(harness.event().await.outcome(), Outcome::Succeeded);
    drop(stream);
    dropped.recv().await.unwrap();
    assert_eq!(harness.event().await.outcome(), Outcome::Succeeded);
}

#[tokio::test]
async fn upgrade_is_a_success_and_the_connection_stays_open() {
    let harness = Harness::new();
    let (send_echoed, echoed) = oneshot::channel();
    let send_echoed = Arc::new(Mutex::new(Some(send_echoed)));
    let handler = move |request: Request| async move {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut upgraded = Upgraded(upgrade.await.unwrap());
            let mut word = [0; 4];
            upgraded.read_exact(&mut word).await;
            let sender = send_echoed.lock().unwrap().take();
            sender.unwrap().send(word).unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(Body::empty())
            .unwrap()
    };
    let app = Router::new().route("/", get(handler).layer(audit()));
    let headers = "connection: upgrade\r\nupgrade: echo\r\n";
    let mut stream = send(serve(app.layer(harness.layer())).await, "GET /", headers).await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let event = harness.event().await;
    assert_eq!(event.outcome(), Outcome::Succeeded);
    assert_eq!(event.metadata_value("status"), Some(Value::Integer(101)));
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(&echoed.await.unwrap(), b"ping");
}

/// An upgraded connection that a test reads from.
struct Upgraded(hyper::upgrade::Upgraded);

impl Upgraded {
    async fn read_exact(&mut self, bytes: &mut [u8]) {
        let mut buffer = hyper::rt::ReadBuf::new(bytes);
        while buffer.unfilled().remaining() > 0 {
            std::future::poll_fn(|cx| {
                hyper::rt::Read::poll_read(std::pin::Pin::new(&mut self.0), cx, buffer.unfilled())
            })
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn head_request_runs_the_get_handler_and_is_recorded() {
    let harness = Harness::new();
    let app = Router::new().route("/", get(|| async { "a body" }).layer(audit()));
    let response = request(serve(app.layer(harness.layer())).await, "HEAD /").await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(!response.contains("a body"), "{response}");
    assert_eq!(harness.event().await.outcome(), Outcome::Succeeded);
}

#[tokio::test]
async fn method_not_allowed_leaves_no_event() {
    for form in FORMS {
        let harness = Harness::new();
        let address = serve(app().layer(harness.layer())).await;
        for method in ["OPTIONS", "HEAD", "GET", "POST"] {
            let response = request(address, &format!("{method} /{form}/200/42")).await;
            assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
        }
        assert!(harness.events().await.is_empty(), "{form}");
        assert_eq!(harness.recorder.stats().unaudited, 0);
    }
}
