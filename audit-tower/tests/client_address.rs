//! The location of an event behind proxies, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use audit_tower::{Actor, AuditLayer, MemorySink, Recorder, TrustedProxies, record};
use axum::Router;
use axum::routing::delete;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Returns the location of the event of a request with these header lines.
async fn location(proxies: Option<TrustedProxies>, lines: &str) -> String {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .unwrap();
    let mut layer = AuditLayer::new(recorder.clone()).principal_with(|_| Some(Actor::system()));
    if let Some(proxies) = proxies {
        layer = layer.trusted_proxies(proxies);
    }
    let handler = || async { record!("document.delete", target(document = 1)) };
    let app = Router::new().route("/", delete(handler)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).await
    });
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("DELETE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{lines}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    serving.abort();
    recorder.shutdown(Duration::from_secs(5)).await;
    sink.events()[0].location().unwrap().to_owned()
}

const LINES: &str = "x-forwarded-for: 198.51.100.1\r\nforwarded: for=198.51.100.2, for=203.0.113.8\r\n\
                     X-Forwarded-For: 203.0.113.7, 10.0.0.9\r\nx-real-ip: 203.0.113.6\r\n";

#[tokio::test]
async fn headers_are_not_read_without_trusted_proxies() {
    assert_eq!(location(None, LINES).await, "127.0.0.1");
}

#[tokio::test]
async fn only_the_configured_header_is_read() {
    let networks = ["127.0.0.0/8", "10.0.0.0/8"];
    for (proxies, expected) in [
        (TrustedProxies::x_forwarded_for(networks), "203.0.113.7"),
        (TrustedProxies::forwarded(networks), "203.0.113.8"),
        (TrustedProxies::header("X-Real-IP", networks), "203.0.113.6"),
        (
            TrustedProxies::header("true-client-ip", networks),
            "127.0.0.1",
        ),
        (TrustedProxies::x_forwarded_for(["10.0.0.0/8"]), "127.0.0.1"),
    ] {
        assert_eq!(location(Some(proxies.unwrap()), LINES).await, expected);
    }
}
