//! The service on tonic. The gRPC stubs are written by hand, so that no code generator is needed.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use audit_tower::{AuditLayer, audited};
use futures_util::future::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::setup::{CurrentUser, Framework, Gate, Request, Setup, Side, TIMEOUT};

const DELETE: &str = "/documents.v1.Documents/Delete";
const DELETE_HELD: &str = "/documents.v1.Documents/DeleteHeld";
const STREAM: &str = "/documents.v1.Documents/Stream";

pub(crate) struct Tonic;

#[derive(Clone, PartialEq, prost::Message)]
struct Document {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone)]
struct Documents(Arc<Gate>);

impl Documents {
    #[audited(action = "document.delete", target(document = request.get_ref().id))]
    async fn delete(&self, request: tonic::Request<Document>) -> Result<Response<()>, Status> {
        match request.into_inner().id.as_str() {
            "forbidden" => return Err(Status::permission_denied("not yours")),
            "broken" => return Err(Status::internal("broken")),
            "panicking" => panic!("on purpose"),
            "slow" => self.0.block().await,
            _ => {}
        }
        Ok(Response::new(()))
    }

    #[audited(action = "document.delete", target(document = request.get_ref().id))]
    async fn stream(&self, request: tonic::Request<Document>) -> Result<Response<Parts>, Status> {
        drop(request);
        let first = stream::once(async { Ok(Document::default()) });
        Ok(Response::new(first.chain(stream::pending()).boxed()))
    }
}

type Parts = BoxStream<'static, Result<Document, Status>>;
type HttpResult = Result<http::Response<Body>, Infallible>;
type AnyService = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

impl tonic::server::NamedService for Documents {
    const NAME: &'static str = "documents.v1.Documents";
}

impl Service<http::Request<Body>> for Documents {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = HttpResult> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let documents = self.clone();
        Box::pin(async move {
            Ok(if request.uri().path() == STREAM {
                let method = service_fn(move |request| {
                    let documents = documents.clone();
                    async move { documents.stream(request).await }
                });
                let codec = ProstCodec::<Document, Document>::default();
                let mut grpc = tonic::server::Grpc::new(codec);
                grpc.server_streaming(method, request).await
            } else {
                let method = service_fn(move |request| {
                    let documents = documents.clone();
                    async move { documents.delete(request).await }
                });
                let codec = ProstCodec::<(), Document>::default();
                tonic::server::Grpc::new(codec).unary(method, request).await
            })
        })
    }
}

/// Wraps the service in its layers, from the innermost to the outermost.
fn stack(routes: tonic::service::Routes, setup: &Setup) -> AnyService {
    let service = hold(BoxCloneSyncService::new(routes), Arc::clone(&setup.gate));
    let service = other_layers(service, setup, Side::Inside);
    let audit = AuditLayer::new(setup.recorder.clone()).principal::<CurrentUser>();
    let service = BoxCloneSyncService::new(audit.layer(service));
    let service = service.map_request(|mut request: http::Request<Body>| {
        request.extensions_mut().insert(CurrentUser);
        request
    });
    other_layers(BoxCloneSyncService::new(service), setup, Side::Outside)
}

/// Blocks the response of a call to the method `DeleteHeld`.
fn hold(service: AnyService, gate: Arc<Gate>) -> AnyService {
    BoxCloneSyncService::new(service_fn(move |request: http::Request<Body>| {
        let (service, gate) = (service.clone(), Arc::clone(&gate));
        async move {
            let held = request.uri().path() == DELETE_HELD;
            let response = service.oneshot(request).await;
            if held {
                gate.block().await;
            }
            response
        }
    }))
}

/// Adds the other layers of this side.
fn other_layers(mut service: AnyService, setup: &Setup, side: Side) -> AnyService {
    if setup.timeout == Some(side) {
        service = BoxCloneSyncService::new(service_fn({
            move |request| {
                let call = service.clone().oneshot(request);
                async move {
                    let slow = |_| Ok(Status::deadline_exceeded("slow").into_http());
                    tokio::time::timeout(TIMEOUT, call)
                        .await
                        .unwrap_or_else(slow)
                }
            }
        }));
    }
    if setup.catch_panic == Some(side) {
        service = BoxCloneSyncService::new(service_fn({
            move |request| {
                let call = AssertUnwindSafe(service.clone().oneshot(request));
                async move {
                    let panicked = |_| Ok(Status::internal("panicked").into_http());
                    call.catch_unwind().await.unwrap_or_else(panicked)
                }
            }
        }));
    }
    service
}

/// A call on its own task. Dropping it cancels the call.
pub(crate) struct Sent {
    call: JoinHandle<Result<Option<Streaming<Document>>, Status>>,
    body: Option<Streaming<Document>>,
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.call.abort();
    }
}

async fn call(
    address: SocketAddr,
    request: Request,
) -> Result<Option<Streaming<Document>>, Status> {
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    let document = tonic::Request::new(Document {
        id: request.document().to_owned(),
    });
    if request == Request::Stream {
        let codec = ProstCodec::<Document, Document>::default();
        let path = PathAndQuery::from_static(STREAM);
        let response = client.server_streaming(document, path, codec).await?;
        return Ok(Some(response.into_inner()));
    }
    let path = if request == Request::DeleteHeld {
        DELETE_HELD
    } else {
        DELETE
    };
    let codec = ProstCodec::<Document, ()>::default();
    let path = PathAndQuery::from_static(path);
    client.unary(document, path, codec).await.map(|_| None)
}

impl Framework for Tonic {
    type Sent = Sent;

    async fn serve(setup: Setup) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let documents = Documents(Arc::clone(&setup.gate));
        let server = Server::builder()
            .layer(tower::layer::layer_fn(move |routes| stack(routes, &setup)))
            .add_service(documents)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        address
    }

    async fn send(address: SocketAddr, request: Request) -> Sent {
        Sent {
            call: tokio::spawn(call(address, request)),
            body: None,
        }
    }

    async fn status(sent: &mut Sent) -> Option<u16> {
        match (&mut sent.call).await.unwrap() {
            Ok(body) => {
                sent.body = body;
                Some(200)
            }
            Err(status) => match status.code() {
                Code::PermissionDenied => Some(403),
                Code::Internal => Some(500),
                Code::DeadlineExceeded => Some(408),
                // The connection was lost.
                _ => None,
            },
        }
    }
}
