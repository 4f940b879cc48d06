//! The kit for integrations of web frameworks: from the head of a request to the events of its
//! response.
//!
//! `audit-tower` and `audit-actix` are built on it, so that both behave the same. It knows no
//! framework's types. An integration describes a request by [`RequestHead`], opens a
//! [`RequestAudit`] with the [`AuditConfig`] of its layer, runs the handler in the request's scope,
//! and settles it with the status of the response. A [`RequestAudit`] that is dropped settles
//! itself.
//!
//! ```
//! use audit_core::web::{RequestAudit, RequestHead, AuditConfig};
//! use audit_core::{Actor, MemorySink, Recorder, record};
//! use http::{Method, StatusCode};
//! use std::net::IpAddr;
//!
//! struct Request { method: Method, user_agent: String, peer: IpAddr }
//!
//! impl RequestHead for Request {
//!     fn method(&self) -> &str {
//!         self.method.as_str()
//!     }
//!     fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
//!         (name == "user-agent").then(|| self.user_agent.as_bytes()).into_iter()
//!     }
//!     fn peer(&self) -> Option<IpAddr> {
//!         Some(self.peer)
//!     }
//! }
//!
//! // audit.toml:
//! // [action."document.delete"]
//! // targets = ["document"]
//! let sink = MemorySink::new();
//! let recorder = Recorder::builder(sink.clone()).fallback_organization("org_1").build()?;
//! let policy = AuditConfig::new(recorder.clone());
//!
//! let request = Request { method: Method::DELETE, user_agent: "curl".into(), peer: [127, 0, 0, 1].into() };
//! let mut call = RequestAudit::open(&policy, &request);
//! call.scope().set_actor(Actor::user("u1"));
//! call.scope().clone().enter(|| record!("document.delete", target(document = 42)));
//! call.settle(StatusCode::NO_CONTENT, Some("/documents/{id}"));
//!
//! recorder.shutdown_blocking(std::time::Duration::from_secs(5));
//! assert_eq!(sink.events()[0].location(), Some("127.0.0.1"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod client_address;
mod config;
pub mod grpc;
mod identity;
mod request_audit;
mod request_head;
mod unaudited;

pub use self::client_address::{TrustedProxies, TrustedProxiesError};
pub use self::config::AuditConfig;
pub use self::identity::IdentitySources;
pub use self::request_audit::RequestAudit;
#[cfg(feature = "testing")]
pub(crate) use self::request_audit::{changes, succeeded};
pub use self::request_head::RequestHead;
pub use self::unaudited::OnUnaudited;
pub use crate::telemetry::AuditTrace;
