//! Audit logging for actix-web.
//!
//! [`AuditMiddleware`] opens a [`Scope`] for each request, and takes actor, organization and client
//! address from the request. [`#[audited]`](macro@audited) on a function records each call as one
//! event. The handler never waits for the network.
//!
//! ```
//! use actix_web::{App, Error, HttpMessage, HttpResponse, body::MessageBody, dev, middleware::{Next, from_fn}, web};
//! use audit_actix::{Actor, AuditMiddleware, MemorySink, OrganizationId, Principal, Recorder, audited};
//!
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
//! async fn sign_in(
//!     request: dev::ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<dev::ServiceResponse<impl MessageBody>, Error> {
//!     let user = CurrentUser { id: "u1".into(), name: "Ada".into(), organization: "org_1".into() };
//!     request.extensions_mut().insert(user);
//!     next.call(request).await
//! }
//!
//! // audit.toml:
//! // [action."document.delete"]
//! // targets = ["document"]
//! #[audited(action = "document.delete", target(document = *doc_id))]
//! async fn delete_document(doc_id: web::Path<u64>) -> HttpResponse {
//!     HttpResponse::NoContent().finish()
//! }
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?; // in production `WorkOs::from_env()?`
//! let audit = AuditMiddleware::new(recorder.clone()).principal::<CurrentUser>();
//! let app = move || {
//!     App::new()
//!         .route("/documents/{doc_id}", web::delete().to(delete_document))
//!         .wrap(audit.clone())
//!         .wrap(from_fn(sign_in)) // in actix-web, the middleware that is wrapped last runs first
//! };
//! # let _ = app();
//! # Ok::<_, audit_actix::BuildError>(())
//! ```
//!
//! On shutdown, stop the server first and the recorder second, so that the last events are
//! delivered: after `server.await`, call [`recorder.shutdown(deadline).await`](Recorder::shutdown).
//!
//! This page has the topics that are specific to actix-web. The crate `audit-tower` has the same
//! names, with a layer in place of the middleware. Its documentation covers the topics that both
//! have in common: the attribute, events without a function, action names, secrets, jobs outside of
//! requests, schema versions, coalescing, delivery, health and metrics, missing events, the spool,
//! durable events, sinks, the WorkOS client and tools.
//!
//! # Targets from the path
//!
//! A pattern cannot take a `web::Path` apart, so name the value that it holds:
//!
//! | parameters | target |
//! | --- | --- |
//! | `doc_id: web::Path<u64>` | `target(document = *doc_id)` |
//! | `path: web::Path<(u64, String)>` | `target = "path.0"` |
//! | `path: web::Path<Parameters>`, a struct | `target = "path.doc_id"` |
//!
//! # Outcomes
//!
//! Every call ends with one [`Outcome`]: `succeeded`, `denied`, `failed`, `panicked`, or
//! `abandoned` if the client disconnects. For `HttpResponse`, `(responder, StatusCode)` and a
//! `Result` of them, the status decides: 401 and 403 are `denied`, other statuses of 400 and above
//! `failed`. For any other `Result`, `Ok` is `succeeded`, and `Err` is `failed`, or `denied` if it
//! becomes a 401 or 403 response. An error that implements [`AuditOutcome`] decides itself. All
//! other values are settled by the status of the response.
//!
//! ```
//! use actix_web::{HttpResponse, ResponseError, http::StatusCode, web};
//! use audit_actix::audited;
//! # use std::fmt;
//!
//! #[derive(Debug)]
//! struct NotOwner;
//! # impl fmt::Display for NotOwner {
//! #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("not the owner") }
//! # }
//!
//! impl ResponseError for NotOwner {
//!     fn status_code(&self) -> StatusCode {
//!         StatusCode::FORBIDDEN // the event has the outcome `denied`
//!     }
//! }
//!
//! #[audited(action = "document.delete", target(document = *doc_id))]
//! async fn delete_document(doc_id: web::Path<u64>) -> Result<HttpResponse, NotOwner> {
//!     Err(NotOwner)
//! }
//! ```
//!
//! # Actor and organization
//!
//! [`AuditMiddleware`] takes the [`Principal`] from the request's extensions or from a function,
//! and the organization from the principal, a function or a path parameter. The `User-Agent`,
//! `X-Request-ID` and `traceparent` headers go into the event. A handler that determines the actor
//! itself takes [`Audit`], an extractor.
//!
//! # The client's address
//!
//! The event's location is the address of the peer, which actix-web has for every TCP connection. A
//! Unix socket has none: the location is then `unknown`, and one log line explains the cause.
//!
//! Behind proxies, the peer is a proxy. Name their networks and the header that they append to; the
//! location is then the nearest address that is not one of theirs:
//!
//! ```
//! # use audit_actix::{AuditMiddleware, MemorySink, Recorder, TrustedProxies};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let audit = AuditMiddleware::new(recorder)
//!     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrustedProxies::forwarded`] reads the standard header, [`TrustedProxies::header`] one with a
//! single address, such as `cf-connecting-ip`. A header from any other peer is never read.
//! Addresses to the left of the client's are never recorded, since the client can forge them.
//! actix-web's own `ConnectionInfo::realip_remote_addr` trusts such headers from every peer, and is
//! not used.
//!
//! # Denials
//!
//! If the catalog names another action under `denied`, a call with the outcome `denied` is recorded
//! under that action. A request with a 401 or 403 response that reached no audited function is
//! recorded with [`AuditMiddleware::denied_as`]. Its one target is the route:
//!
//! ```
//! # use audit_actix::{AuditMiddleware, MemorySink, Recorder, action};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let audit = AuditMiddleware::new(recorder).denied_as(action!("access.denied"));
//! # Ok::<_, audit_actix::BuildError>(())
//! ```
//!
//! # Requests without an event
//!
//! A POST, PUT, PATCH or DELETE that succeeds without an event is counted, and one warning is
//! logged for its route. [`AuditMiddleware::on_unaudited`] makes it a panic in tests, or turns the
//! warning off. [`#[unaudited(reason = "..")]`](macro@unaudited) exempts a handler that changes
//! nothing, and [`AuditRoute::exempt`] a route.
//!
//! # Audit by route
//!
//! [`AuditRoute`] records the requests of a route without a change to its handler. The event takes
//! its values from the request:
//!
//! ```
//! # use actix_web::{App, HttpResponse, web};
//! # use audit_actix::{AuditRoute, action, path};
//! # async fn delete_document() -> HttpResponse { HttpResponse::NoContent().finish() }
//! let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
//! let app = App::new()
//!     .route("/documents/{doc_id}", web::delete().to(delete_document).wrap(audit));
//! # let _ = app;
//! ```
//!
//! # Tests
//!
//! With the feature `testing` under `[dev-dependencies]`, each test has a recorder of its own. A
//! failed assertion shows the nearest event and the fields that differ.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # #[actix_web::main] async fn main() {
//! use actix_web::{App, HttpResponse, test, web};
//! use audit_actix::{AuditMiddleware, assert_audited, assert_not_audited, audited, testing};
//!
//! #[audited(action = "document.delete", target(document = *doc_id))]
//! async fn delete_document(doc_id: web::Path<u64>) -> HttpResponse {
//!     HttpResponse::NoContent().finish()
//! }
//!
//! let capture = testing::capture();
//! let app = App::new()
//!     .route("/documents/{doc_id}", web::delete().to(delete_document))
//!     .wrap(AuditMiddleware::new(capture.recorder()));
//! let app = test::init_service(app).await;
//!
//! let request = test::TestRequest::delete().uri("/documents/42").to_request();
//! let response = test::call_service(&app, request).await;
//! assert_eq!(response.status(), 204);
//!
//! let events = capture.events();
//! assert_audited!(events, action = "document.delete", target(document = 42));
//! assert_not_audited!(events, outcome = failed);
//! # }
//! # #[cfg(not(feature = "testing"))] fn main() {}
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `workos` | yes | [`WorkOs`], the client and sink of the service |
//! | `spool` | | `Spool`: events on disk, in SQLite, which outlive the process |
//! | `bundled-sqlite` | yes | with `spool`: SQLite is compiled in; without it, the system's library is linked |
//! | `json-lines` | | the sink `JsonLines`: a line of JSON per event |
//! | `metrics` | | counts, ages and health as metrics of the `metrics` facade |
//! | `testing` | | the module `testing` and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`, for the tests of a service |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod extract;
mod head;
mod middleware;
mod parameter;
#[doc(hidden)]
pub mod private;
mod route;
mod scope;
mod service;

pub use audit_core::*;

#[doc(inline)]
pub use audit_core::private::macros::audited_actix as audited;
#[doc(inline)]
pub use audit_core::private::macros::unaudited_actix as unaudited;

pub use extract::{Audit, NoScope};
pub use middleware::AuditMiddleware;
pub use route::{
    AuditRoute, AuditRouteFuture, AuditRouteService, ExemptRoute, ExemptRouteService, RequestValue,
    path,
};
pub use service::{AuditFuture, AuditService};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
