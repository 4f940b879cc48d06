//! Audit logging for axum and any tower HTTP service.
//!
//! A [`Layer`](tower_layer::Layer) opens a [`Scope`] per request and takes from it who acts, for whom and from where; an
//! attribute on the handler says what was done. The handler never waits for the network.
//!
//! ```
//! use audit_tower::{Actor, AuditLayer, MemorySink, OrganizationId, Principal, Recorder};
//! use axum::{Router, extract::Request, middleware::{self, Next}, response::Response, routing::delete};
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
//! async fn delete_document() {}
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let app: Router = Router::new()
//!     .route("/documents/{doc_id}", delete(delete_document))
//!     .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>())
//!     .layer(middleware::from_fn(sign_in)); // in axum, the layer that is added last runs first
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! # The client's address
//!
//! With axum, serve with `app.into_make_service_with_connect_info::<SocketAddr>()`: the peer's address is then the
//! event's location. Without it the location is `unknown`, and one log line says so.
//!
//! Behind proxies the peer is a proxy. Name their networks and the header that they append to, and the location is the
//! nearest address that is not one of them:
//!
//! ```
//! # use audit_tower::{AuditLayer, MemorySink, Recorder, TrustedProxies};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let layer = AuditLayer::new(recorder)
//!     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrustedProxies::forwarded`] reads the standard header, [`TrustedProxies::header`] one of a single address such as
//! `cf-connecting-ip`. A header from anybody else is never read, and what stands in one to the left of the client's address
//! is never recorded: the client could have written it.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `axum` | yes | the peer's address from axum's `ConnectInfo`, the matched route, path parameters, the extractor [`Audit`] |
//! | `workos` | yes | [`WorkOs`], the client and sink of the service |
//! | `testing` | | the `testing` module and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`, for the tests of a service |

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
