//! A server, an HTTP client on plain sockets, and a sink that a test can wait on.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage, HttpServer, web};
use audit_actix::testing::FaultSink;
use audit_actix::{
    Actor, AuditMiddleware, Event, MemorySink, OrganizationId, Principal, Recorder, Stats,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Deadline of every wait. A test that reaches it has failed.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The user that the header `x-user` names.
pub(crate) struct CurrentUser(String);

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(&self.0)
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_1".into())
    }
}

async fn sign_in(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let user = request.headers().get("x-user");
    if let Some(user) = user.and_then(|user| user.to_str().ok()) {
        let user = CurrentUser(user.to_owned());
        request.extensions_mut().insert(user);
    }
    next.call(request).await
}

pub(crate) struct TestServer {
    address: SocketAddr,
    recorder: Recorder,
    sink: FaultSink<MemorySink>,
    /// Events that `event` has returned.
    returned: Cell<usize>,
    server: ServerHandle,
}

impl TestServer {
    /// Serves these routes behind an authentication.
    pub(crate) fn start(routes: fn(&mut web::ServiceConfig)) -> Self {
        Self::start_with(routes, |audit| audit.principal::<CurrentUser>())
    }

    /// Serves these routes behind an authentication and the configured audit middleware.
    pub(crate) fn start_with(
        routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
        audit: impl FnOnce(AuditMiddleware) -> AuditMiddleware,
    ) -> Self {
        let sink = FaultSink::new(MemorySink::new());
        let recorder = Recorder::builder(sink.clone())
            .fallback_organization("org_fallback")
            .build()
            .unwrap();
        let audit = audit(AuditMiddleware::new(recorder.clone()));
        let server = HttpServer::new(move || {
            App::new()
                .configure(routes.clone())
                .wrap(audit.clone())
                .wrap(from_fn(sign_in))
        })
        .workers(1)
        .disable_signals()
        .h1_allow_half_closed(false)
        .bind("127.0.0.1:0")
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        drop(actix_web::rt::spawn(server));
        Self {
            address,
            recorder,
            sink,
            returned: Cell::new(0),
            server: handle,
        }
    }

    /// Sends the head of a request without a body.
    pub(crate) async fn connect(&self, method: &str, path: &str) -> TcpStream {
        self.connect_with(method, path, "").await
    }

    /// As [`connect`](Self::connect), with header lines that each end in `\r\n`.
    async fn connect_with(&self, method: &str, path: &str, lines: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-user: u1\r\nconnection: close\r\n{lines}\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection
    }

    /// Sends a request, reads its response to the end, and returns the status if there is one.
    pub(crate) async fn send(&self, method: &str, path: &str) -> Option<u16> {
        self.send_with(method, path, "").await
    }

    /// As [`send`](Self::send), with header lines that each end in `\r\n`.
    pub(crate) async fn send_with(&self, method: &str, path: &str, lines: &str) -> Option<u16> {
        let mut connection = self.connect_with(method, path, lines).await;
        let mut response = Vec::new();
        let read = connection.read_to_end(&mut response);
        // A reset connection has no response either.
        drop(timeout(TIMEOUT, read).await.unwrap());
        let response = String::from_utf8_lossy(&response);
        response.split(' ').nth(1)?.parse().ok()
    }

    /// Waits for the next event.
    pub(crate) async fn event(&self) -> Event {
        let returned = self.returned.get();
        let delivered = self.sink.wait_for_deliveries(returned + 1);
        timeout(TIMEOUT, delivered).await.unwrap();
        self.returned.set(returned + 1);
        self.sink.inner().events().remove(returned)
    }

    /// Stops server and recorder, and returns the remaining events and the counts.
    pub(crate) async fn end(self) -> (Vec<Event>, Stats) {
        self.server.stop(true).await;
        self.recorder.shutdown(TIMEOUT).await;
        let stats = self.recorder.stats();
        let rest = self.sink.inner().events().split_off(self.returned.get());
        (rest, stats)
    }

    /// As [`end`](Self::end), with each event as one [`line`].
    pub(crate) async fn lines(self) -> Vec<String> {
        self.end().await.0.iter().map(line).collect()
    }
}

/// Formats an event as `action type:id outcome actor@organization address`.
pub(crate) fn line(event: &Event) -> String {
    let targets: Vec<_> = event
        .targets()
        .map(|target| format!("{}:{}", target.kind(), target.id()))
        .collect();
    format!(
        "{} {} {} {}@{} {}",
        event.action(),
        targets.join(","),
        event.outcome(),
        event.actor().unwrap().id(),
        event.organization().unwrap(),
        event.location().unwrap()
    )
}
