//! Audits a route without a change to its handler.

mod exempt;
mod middleware;
mod service;
mod template;
mod value;

pub use exempt::{ExemptRoute, ExemptRouteService};
pub use middleware::AuditRoute;
pub use service::{AuditRouteFuture, AuditRouteService};
pub use value::{RequestValue, path};
