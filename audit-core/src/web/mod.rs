//! What an integration of a web framework needs: from a request's head to its
//! [`Scope`](crate::Scope), and from the answer's head to its events.
//!
//! `audit-tower` and `audit-actix` are built on it, so that both do the same. It knows no
//! framework's types: an integration describes a request by [`Head`], opens a [`Call`] with the
//! [`Policy`] of its layer, runs the handler in the call's scope, and settles it with the status of
//! the answer. A call that is dropped settles itself.
//!
//! ```
//! use audit_core::web::{Call, Head, Policy};
//! use audit_core::{Actor, MemorySink, Recorder, record};
//! use http::{Method, StatusCode};
//! use std::net::IpAddr;
//!
//! struct Request { method: Method, user_agent: String, peer: IpAddr }
//!
//! impl Head for Request {
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
//! let policy = Policy::new(recorder.clone());
//!
//! let request = Request { method: Method::DELETE, user_agent: "curl".into(), peer: [127, 0, 0, 1].into() };
//! let mut call = Call::open(&policy, &request);
//! call.scope().set_actor(Actor::user("u1"));
//! call.scope().clone().enter(|| record!("document.delete", target(document = 42)));
//! call.settle(StatusCode::NO_CONTENT, Some("/documents/{id}"));
//!
//! recorder.shutdown_blocking(std::time::Duration::from_secs(5));
//! assert_eq!(sink.events()[0].location(), Some("127.0.0.1"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod call;
mod client_address;
pub mod grpc;
mod head;
mod policy;
mod sources;
mod unaudited;

pub use self::call::Call;
#[cfg(feature = "testing")]
pub(crate) use self::call::{changes, succeeded};
pub use self::client_address::{TrustedProxies, TrustedProxiesError};
pub use self::head::Head;
pub use self::policy::Policy;
pub use self::sources::Sources;
pub use self::unaudited::Unaudited;
pub use crate::telemetry::Trail;
