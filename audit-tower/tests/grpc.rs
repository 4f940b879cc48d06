//! tonic over real sockets: actor, location and outcome of a call.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_tower::{
    Action, Actor, AuditLayer, AuditRoute, Event, MemorySink, OrganizationId, Outcome, Principal,
    Recorder, Value, audited, unaudited, web::OnUnaudited,
};
use tokio::sync::{Notify, oneshot};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::InterceptorLayer;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

#[derive(Clone, PartialEq, prost::Message)]
struct DeleteRequest {
    #[prost(string, tag = "1")]
    id: String,
}

#[tonic::async_trait]
trait Documents: Send + Sync + 'static {
    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status>;
    async fn list(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status>;
    async fn exempt(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status>;
}

struct Store {
    /// Notified when a call that never ends has started.
    hangs: Arc<Notify>,
}

#[tonic::async_trait]
impl Documents for Store {
    #[audited(action = "document.delete", target(document = request.get_ref().id))]
    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
        match &*request.into_inner().id {
            "hangs" => {
                self.hangs.notify_one();
                pending().await
            }
            "panics" => panic!("on purpose"),
            id => respond(id),
        }
    }

    async fn list(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
        respond(&request.into_inner().id)
    }

    #[unaudited(reason = "reads only")]
    async fn exempt(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
        respond(&request.into_inner().id)
    }
}

/// Returns the status whose code is the id, else success.
fn respond(id: &str) -> Result<Response<()>, Status> {
    match id.parse() {
        Ok(code) => Err(Status::new(Code::from_i32(code), "as asked")),
        Err(_) => Ok(Response::new(())),
    }
}

/// The server, as `tonic-build` would generate it.
#[derive(Clone)]
struct DocumentsServer(Arc<Store>);

impl tonic::server::NamedService for DocumentsServer {
    const NAME: &'static str = "documents.v1.Documents";
}

type GrpcResult = Result<http::Response<tonic::body::Body>, Infallible>;

impl Service<http::Request<tonic::body::Body>> for DocumentsServer {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = GrpcResult> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let store = self.0.clone();
        let path = request.uri().path().to_owned();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<(), DeleteRequest>::default());
            let method = service_fn(move |request| {
                let (store, path) = (store.clone(), path.clone());
                async move {
                    match &*path {
                        DELETE => store.delete(request).await,
                        EXEMPT => store.exempt(request).await,
                        _ => store.list(request).await,
                    }
                }
            });
            Ok(grpc.unary(method, request).await)
        })
    }
}

#[derive(Clone)]
struct CurrentUser;

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user("u1")
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_1".into())
    }
}

fn sign_in(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.extensions_mut().insert(CurrentUser);
    Ok(request)
}

struct TestServer {
    address: SocketAddr,
    recorder: Recorder,
    sink: MemorySink,
    hangs: Arc<Notify>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), tonic::transport::Error>>,
}

impl TestServer {
    async fn start() -> Self {
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let layer = AuditLayer::new(recorder.clone())
            .principal::<CurrentUser>()
            .on_unaudited(OnUnaudited::Ignore)
            .denied_as(Action::checked("access.denied"));
        let hangs = Arc::new(Notify::new());
        let service = DocumentsServer(Arc::new(Store {
            hangs: hangs.clone(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = Server::builder()
            .layer(InterceptorLayer::new(sign_in))
            .layer(layer)
            .add_service(service)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), async {
                let _ = stopped.await;
            });
        Self {
            address,
            recorder,
            sink,
            hangs,
            stop,
            serving: tokio::spawn(server),
        }
    }

    async fn connect(&self) -> tonic::client::Grpc<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        tonic::client::Grpc::new(endpoint.connect().await.unwrap())
    }

    /// Stops the server and with it every call, and returns the events and counts.
    async fn stop(self) -> (Vec<Event>, audit_tower::Stats) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
        self.recorder.shutdown(Duration::from_secs(5)).await;
        (self.sink.events(), self.recorder.stats())
    }
}

async fn call(
    client: &mut tonic::client::Grpc<Channel>,
    method: &'static str,
    id: &str,
) -> Result<(), Status> {
    client
        .ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let message = DeleteRequest { id: id.to_owned() };
    let codec = ProstCodec::<DeleteRequest, ()>::default();
    let path = PathAndQuery::from_static(method);
    let response = client.unary(Request::new(message), path, codec).await;
    response.map(Response::into_inner)
}

const DELETE: &str = "/documents.v1.Documents/Delete";
const LIST: &str = "/documents.v1.Documents/List";
const EXEMPT: &str = "/documents.v1.Documents/Exempt";

#[tokio::test]
async fn event_has_actor_peer_and_target_of_the_call() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    call(&mut client, DELETE, "doc").await.unwrap();
    drop(client);
    let (events, stats) = server.stop().await;
    assert_eq!(events.len(), 1);
    let (event, target) = (&events[0], events[0].targets().next().unwrap());
    assert_eq!((target.kind(), target.id()), ("document", "doc"));
    assert_eq!(event.actor().unwrap().id(), "u1");
    assert_eq!(
        (event.organization(), event.location()),
        (Some("org_1"), Some("127.0.0.1"))
    );
    assert!(event.user_agent().unwrap().starts_with("tonic/"));
    assert_eq!(event.outcome(), Outcome::Succeeded);
    assert_eq!(event.metadata_value("status"), Some(Value::Integer(200)));
    assert_eq!(stats.unaudited, 0);
}

#[tokio::test]
async fn only_the_codes_of_denials_are_denied() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    for code in 1..=16 {
        let status = call(&mut client, DELETE, &code.to_string()).await;
        assert_eq!(status.unwrap_err().code(), Code::from_i32(code));
    }
    drop(client);
    let (events, _) = server.stop().await;
    let denied: Vec<_> = events
        .iter()
        .filter(|event| event.outcome() == Outcome::Denied)
        .map(|event| {
            (
                event.targets().next().unwrap().id().to_owned(),
                event.metadata_value("status"),
            )
        })
        .collect();
    assert_eq!(
        denied,
        [
            ("7".to_owned(), Some(Value::Integer(403))),
            ("16".to_owned(), Some(Value::Integer(401)))
        ]
    );
    let failed = events
        .iter()
        .filter(|event| event.outcome() == Outcome::Failed);
    assert_eq!((events.len(), failed.count()), (16, 14));
}

#[tokio::test]
async fn unaudited_call_is_counted_and_a_denied_one_recorded_by_its_route() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    call(&mut client, LIST, "all").await.unwrap();
    call(&mut client, EXEMPT, "all").await.unwrap();
    call(&mut client, LIST, "5").await.unwrap_err();
    call(&mut client, LIST, "7").await.unwrap_err();
    drop(client);
    let (events, stats) = server.stop().await;
    assert_eq!(stats.unaudited, 1);
    let recorded: Vec<_> = events
        .iter()
        .map(|event| (event.action(), event.targets().next().unwrap().id()))
        .collect();
    assert_eq!(
        recorded,
        [("access.denied", "POST /documents.v1.Documents/List")]
    );
}

#[tokio::test]
async fn call_that_the_client_cancels_is_abandoned() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    tokio::select! {
        _ = call(&mut client, DELETE, "hangs") => panic!("the call ended"),
        () = server.hangs.notified() => {}
    }
    drop(client);
    let (events, _) = server.stop().await;
    let outcomes: Vec<_> = events.iter().map(Event::outcome).collect();
    assert_eq!(outcomes, [Outcome::Abandoned]);
}

#[tokio::test]
async fn method_that_panics_leaves_an_event() {
    let server = TestServer::start().await;
    let mut client = server.connect().await;
    call(&mut client, DELETE, "panics").await.unwrap_err();
    drop(client);
    let (events, _) = server.stop().await;
    let outcomes: Vec<_> = events.iter().map(Event::outcome).collect();
    assert_eq!(outcomes, [Outcome::Panicked]);
}

#[tokio::test]
async fn grpc_status_counts_only_in_a_grpc_response() {
    use tower::{Layer, ServiceExt};

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .unwrap();
    let layer = AuditLayer::new(recorder.clone()).denied_as(Action::checked("access.denied"));
    for content_type in ["application/json", "application/grpc"] {
        let service = layer.layer(service_fn(move |_| {
            let head = http::Response::builder()
                .header("content-type", content_type)
                .header("grpc-status", "16");
            ready(head.body(()))
        }));
        let request = http::Request::get("/documents/42").body(()).unwrap();
        service.oneshot(request).await.unwrap();
    }
    recorder.shutdown(Duration::from_secs(5)).await;
    assert_eq!(sink.events().len(), 1);
}

#[tokio::test]
async fn audited_route_reads_the_grpc_status_in_the_head() {
    use tower::{Layer, ServiceExt};

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .unwrap();
    let layer = AuditLayer::new(recorder.clone());
    let route = AuditRoute::new(Action::checked("document.delete"));
    for code in [Code::Ok, Code::NotFound, Code::PermissionDenied] {
        let service = layer.layer(route.layer(service_fn(move |_| {
            ready(Ok::<_, Infallible>(
                Status::new(code, "as asked").into_http::<()>(),
            ))
        })));
        let request = http::Request::post(DELETE).body(()).unwrap();
        assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    }
    recorder.shutdown(Duration::from_secs(5)).await;
    let events = sink.events();
    let outcomes: Vec<_> = events.iter().map(Event::outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Succeeded, Outcome::Failed, Outcome::Denied]
    );
}
