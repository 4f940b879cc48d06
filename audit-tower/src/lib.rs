//! Audit logging for axum, tonic and any tower HTTP service.
//!
//! A [`Layer`](tower_layer::Layer) opens a [`Scope`] per request and takes from it who acts, for
//! whom and from where; an attribute on the handler says what was done. The handler never waits for
//! the network.
//!
//! ```
//! use audit_tower::{Actor, AuditLayer, MemorySink, OrganizationId, Principal, Recorder, audited};
//! use axum::{Router, extract::{Path, Request}, http::StatusCode, middleware::{self, Next}, response::Response, routing::delete};
//!
//! #[derive(Clone)]
//! struct CurrentUser { id: String, name: String, organization: OrganizationId }
//!
//! impl Principal for CurrentUser {
//!     fn actor(&self) -> Actor {
//!         Actor::user(&self.id).name(&self.name)
//!     }
//!     fn organization(&self) -> Option<OrganizationId> {
//!         Some(self.organization.clone())
//!     }
//! }
//!
//! async fn sign_in(mut request: Request, next: Next) -> Response {
//!     let user = CurrentUser { id: "u1".into(), name: "Ada".into(), organization: "org_1".into() };
//!     request.extensions_mut().insert(user);
//!     next.run(request).await
//! }
//!
//! #[audited(action = "document.delete", target = "doc_id")]
//! async fn delete_document(Path(doc_id): Path<u64>) -> StatusCode {
//!     StatusCode::NO_CONTENT
//! }
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let app: Router = Router::new()
//!     .route("/documents/{doc_id}", delete(delete_document))
//!     .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>())
//!     .layer(middleware::from_fn(sign_in)); // in axum, the layer that is added last runs first
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! When the service ends, let the server end first, then the recorder, so that the last events are
//! delivered: after `axum::serve(..).with_graceful_shutdown(..).await`,
//! `recorder.shutdown(deadline).await`.
//!
//! # The client's address
//!
//! With axum, serve with `app.into_make_service_with_connect_info::<SocketAddr>()`: the peer's
//! address is then the event's location. Without it the location is `unknown`, and one log line
//! says so.
//!
//! Behind proxies the peer is a proxy. Name their networks and the header that they append to, and
//! the location is the nearest address that is not one of them:
//!
//! ```
//! # use audit_tower::{AuditLayer, MemorySink, Recorder, TrustedProxies};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let layer = AuditLayer::new(recorder)
//!     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrustedProxies::forwarded`] reads the standard header, [`TrustedProxies::header`] one of a
//! single address such as `cf-connecting-ip`. A header from anybody else is never read, and what
//! stands in one to the left of the client's address is never recorded: the client could have
//! written it.
//!
//! # gRPC
//!
//! The layer goes around tonic's server; with the feature `tonic`, the peer of its connections is
//! the client. The attribute goes on the methods of a service, and reads the message through the
//! request:
//!
//! ```
//! use audit_tower::{Actor, AuditLayer, MemorySink, Principal, Recorder, audited};
//! use tonic::{Request, Response, Status, service::InterceptorLayer, transport::Server};
//! # pub struct DeleteRequest { id: String }
//! # #[tonic::async_trait]
//! # pub trait Documents {
//! #     async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status>;
//! # }
//!
//! # pub
//! struct Service;
//!
//! #[tonic::async_trait]
//! impl Documents for Service {
//!     #[audited(action = "document.delete", target(document = request.get_ref().id))]
//!     async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
//!         Err(Status::permission_denied("it is not yours")) // an event with the outcome `denied`
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct CurrentUser { id: String }
//!
//! impl Principal for CurrentUser {
//!     fn actor(&self) -> Actor {
//!         Actor::user(&self.id)
//!     }
//! }
//!
//! fn sign_in(mut request: Request<()>) -> Result<Request<()>, Status> {
//!     request.extensions_mut().insert(CurrentUser { id: "u1".into() });
//!     Ok(request)
//! }
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let server = Server::builder()
//!     .layer(InterceptorLayer::new(sign_in)) // in tonic, the layer that is added first runs first
//!     .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>());
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! An error of the method is a failure, and a denial if its code is `PERMISSION_DENIED` or
//! `UNAUTHENTICATED`; the event's `status` is the HTTP status that the code corresponds to. What a
//! stream does after it was opened changes nothing any more. A call that the sign-in refuses does
//! not reach the layer.
//!
//! Every gRPC call is a POST, so a method that only reads looks like a change that left no event:
//! put `#[unaudited(reason = "..")]` on it. The route in reports is the path,
//! `/package.Service/Method`, which holds no ids.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `axum` | yes | the peer's address from axum's `ConnectInfo`, the matched route, path parameters, the extractor [`Audit`] |
//! | `tonic` | | the peer's address from tonic's server |
//! | `workos` | yes | [`WorkOs`], the client and sink of the service |
//! | `spool` | | `Spool`: events on disk, in SQLite, so that they outlive the process |
//! | `bundled-sqlite` | yes | with `spool`: SQLite is compiled in; without it, the system's is linked |
//! | `json-lines` | | the sink `JsonLines`: a line of JSON per event |
//! | `metrics` | | the counts, ages and health as metrics of the `metrics` facade |
//! | `testing` | | the `testing` module and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`, for the tests of a service |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod extract;
mod future;
mod head;
mod layer;
mod resolve;
mod route;
mod service;

pub use audit_core::*;

#[doc(inline)]
pub use audit_core::private::macros::audited_tower as audited;
#[doc(inline)]
pub use audit_core::private::macros::unaudited_tower as unaudited;

#[cfg(feature = "axum")]
pub use extract::{Audit, NoScope};
pub use future::AuditFuture;
pub use layer::AuditLayer;
#[cfg(feature = "axum")]
pub use route::path;
pub use route::{
    AuditRoute, AuditRouteFuture, AuditRouteService, ExemptRoute, ExemptRouteService, RequestValue,
};
pub use service::AuditService;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
