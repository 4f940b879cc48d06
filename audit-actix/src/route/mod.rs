//! An event for whatever a route does, without touching its handler.

mod exempt;
mod middleware;
mod service;
mod value;

pub use exempt::{ExemptRoute, ExemptRouteService};
pub use middleware::AuditRoute;
pub use service::{AuditRouteFuture, AuditRouteService};
pub use value::{RequestValue, path};
