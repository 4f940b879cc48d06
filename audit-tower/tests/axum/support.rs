//! A recorder whose events can be seen, a sign-in, a handler that ends as it is told, and a client
//! that speaks plain HTTP.

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

/// The sign-in of everybody.
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

    /// A layer that knows nobody.
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

/// Says when it is dropped.
pub(crate) struct OnDrop(pub(crate) mpsc::UnboundedSender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        // A test that has ended does not listen any more.
        let _ = self.0.send(());
    }
}

/// The two forms in which a route can be audited, and the paths at which [`app`] has them.
pub(crate) const FORMS: [&str; 2] = ["attribute", "route"];

/// A route in each form, under `/{form}/{end}/{doc_id}`, whose handler ends as the path says.
pub(crate) fn app() -> Router {
    let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
    Router::new()
        .route("/attribute/{end}/{doc_id}", delete(by_attribute))
        .route("/route/{end}/{doc_id}", delete(plain).layer(audit))
}

#[audited(action = "document.delete", target = "doc_id")]
async fn by_attribute(
    Path((how, doc_id)): Path<(String, String)>,
) -> Result<StatusCode, StatusCode> {
    end(&how).await
}

async fn plain(Path((how, _)): Path<(String, String)>) -> Result<StatusCode, StatusCode> {
    end(&how).await
}

async fn end(how: &str) -> Result<StatusCode, StatusCode> {
    tokio::task::yield_now().await;
    match how {
        "panic" => panic!("on purpose"),
        "hang" => std::future::pending().await,
        status => match status.parse().unwrap() {
            status @ 0..=399 => Ok(StatusCode::from_u16(status).unwrap()),
            status => Err(StatusCode::from_u16(status).unwrap()),
        },
    }
}

/// Serves on a port of this machine, with the address of the peer.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Sends a request without a body, whose answer has not been read yet.
pub(crate) async fn send(address: SocketAddr, request_line: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{request_line} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The whole answer to a request; empty if the connection ended without one.
pub(crate) async fn ask(address: SocketAddr, request_line: &str) -> String {
    let mut stream = send(address, request_line, "connection: close\r\n").await;
    let mut answer = String::new();
    // A connection that is reset has answered what it has answered.
    drop(stream.read_to_string(&mut answer).await);
    answer
}

/// Reads until the answer contains a text.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(text) {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the connection ended after {answer:?}");
        answer.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    answer
}

/// What every event of [`app`] behind [`sign_in`] and [`serve`] says, and how it ended.
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
