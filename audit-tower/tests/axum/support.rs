//! A recorder with visible events, an authentication, a handler whose result the path selects, and
//! an HTTP client on plain sockets.

use std::net::SocketAddr;
use std::time::Duration;

use audit_tower::{
    Actor, AuditLayer, AuditRoute, Event, MemorySink, OrganizationId, Outcome, Principal, Recorder,
    action, audited, path,
};
use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::delete;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

#[derive(Clone)]
pub(crate) struct CurrentUser(pub(crate) &'static str);

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(self.0)
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_1".into())
    }
}

/// Inserts the same user into every request.
pub(crate) async fn sign_in(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(CurrentUser("u1"));
    next.run(request).await
}

pub(crate) struct Harness {
    pub(crate) recorder: Recorder,
    sink: MemorySink,
}

impl Harness {
    pub(crate) fn new() -> Self {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone())
            .fallback_organization("org_fallback")
            .build()
            .unwrap();
        Self { recorder, sink }
    }

    /// Returns a layer without sources of actor and organization.
    pub(crate) fn bare(&self) -> AuditLayer {
        AuditLayer::new(self.recorder.clone())
    }

    pub(crate) fn layer(&self) -> AuditLayer {
        self.bare().principal::<CurrentUser>()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.recorder.flush(Duration::from_secs(5)).await;
        self.sink.events()
    }

    pub(crate) async fn event(&self) -> Event {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

/// Sends a signal when it is dropped.
pub(crate) struct OnDrop(pub(crate) mpsc::UnboundedSender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        // A test that has ended no longer receives.
        let _ = self.0.send(());
    }
}

/// The two ways to audit a route, as path segments of [`app`].
pub(crate) const FORMS: [&str; 2] = ["attribute", "route"];

/// Returns one route for each form, `/{form}/{result}/{doc_id}`, whose handler ends with `result`.
pub(crate) fn app() -> Router {
    let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
    Router::new()
        .route("/attribute/{result}/{doc_id}", delete(by_attribute))
        .route("/route/{result}/{doc_id}", delete(plain).layer(audit))
}

#[audited(action = "document.delete", target = "doc_id")]
async fn by_attribute(
    Path((result, doc_id)): Path<(String, String)>,
) -> Result<StatusCode, StatusCode> {
    end_with(&result).await
}

async fn plain(Path((result, _)): Path<(String, String)>) -> Result<StatusCode, StatusCode> {
    end_with(&result).await
}

async fn end_with(result: &str) -> Result<StatusCode, StatusCode> {
    tokio::task::yield_now().await;
    match result {
        "panic" => panic!("on purpose"),
        "hang" => std::future::pending().await,
        status => match status.parse().unwrap() {
            status @ 0..=399 => Ok(StatusCode::from_u16(status).unwrap()),
            status => Err(StatusCode::from_u16(status).unwrap()),
        },
    }
}

/// Serves on a local port, with the address of the peer.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Sends a request without a body, and returns the connection before the response is read.
pub(crate) async fn send(address: SocketAddr, request_line: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{request_line} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Sends a request and returns the whole response; empty if the connection closed without one.
pub(crate) async fn request(address: SocketAddr, request_line: &str) -> String {
    let mut stream = send(address, request_line, "connection: close\r\n").await;
    let mut response = String::new();
    // A reset connection keeps what was read before.
    drop(stream.read_to_string(&mut response).await);
    response
}

/// Reads until the response contains a text.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut response = String::new();
    while !response.contains(text) {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the connection ended after {response:?}");
        response.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    response
}

/// Asserts the outcome and all other fields of an event of [`app`] behind [`sign_in`] and
/// [`serve`].
#[track_caller]
pub(crate) fn assert_complete(event: &Event, outcome: Outcome, context: &str) {
    let target = event.targets().next().unwrap();
    assert_eq!(
        (event.outcome(), event.action(), target.kind(), target.id()),
        (outcome, "document.delete", "document", "42"),
        "{context}"
    );
    assert_eq!(
        (
            event.actor().unwrap().id(),
            event.organization(),
            event.location()
        ),
        ("u1", Some("org_1"), Some("127.0.0.1")),
        "{context}"
    );
}
