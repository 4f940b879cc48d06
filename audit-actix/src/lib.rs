//! Audit logging for actix-web.
//!
//! A middleware opens a [`Scope`] per request and takes from it who acts, for whom and from where;
//! an attribute on the handler says what was done. The handler never waits for the network.
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
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
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
//! Names and meaning are those of `audit-tower`: what that crate calls a layer is a middleware
//! here.
//!
//! # Targets from the path
//!
//! A `web::Path` cannot be taken apart in a pattern, so name what it holds:
//! `target(document = *doc_id)` of a single parameter, `target = "path.0"` of a tuple,
//! `target = "path.doc_id"` of a struct.
//!
//! # What a handler returns
//!
//! `HttpResponse`, `(responder, StatusCode)` and a `Result` of them say by their status how it
//! went. Of any other `Result`, `Ok` is a success, and `Err` a failure, or a denial if it is
//! answered with 401 or 403. Anything else is settled by the status of the answer.
//!
//! # The client's address
//!
//! The event's location is the peer's address, which actix-web knows on every TCP socket. Over a
//! Unix socket there is none: the location is `unknown`, and one log line says so.
//!
//! Behind proxies the peer is a proxy. Name their networks and the header that they append to, and
//! the location is the nearest address that is not one of them:
//!
//! ```
//! # use audit_actix::{AuditMiddleware, MemorySink, Recorder, TrustedProxies};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let audit = AuditMiddleware::new(recorder)
//!     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrustedProxies::forwarded`] reads the standard header, [`TrustedProxies::header`] one of a
//! single address such as `cf-connecting-ip`. A header from anybody else is never read, and what
//! stands in one to the left of the client's address is never recorded: the client could have
//! written it. actix-web's own `ConnectionInfo::realip_remote_addr` believes such headers whoever
//! sent them, and is not used.
//!
//! # When the service ends
//!
//! Let the server end first, then the recorder, so that the last events are delivered: after
//! `server.await`, `recorder.shutdown(deadline).await`.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `workos` | yes | [`WorkOs`], the client and sink of the service |
//! | `spool` | | `Spool`: events on disk, in SQLite, so that they outlive the process |
//! | `bundled-sqlite` | yes | with `spool`: SQLite is compiled in; without it, the system's is linked |
//! | `json-lines` | | the sink `JsonLines`: a line of JSON per event |
//! | `metrics` | | the counts, ages and health as metrics of the `metrics` facade |
//! | `testing` | | the `testing` module and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`, for the tests of a service |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod head;
mod middleware;
mod parameter;
#[doc(hidden)]
pub mod private;
mod route;
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
