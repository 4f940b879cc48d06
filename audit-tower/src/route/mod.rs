//! Audits a route without a change to its handler.

mod exempt;
mod future;
mod layer;
mod service;
mod template;
mod value;

pub use exempt::{ExemptRoute, ExemptRouteService};
pub use future::AuditRouteFuture;
pub use layer::AuditRoute;
pub use service::AuditRouteService;
pub use value::RequestValue;
#[cfg(feature = "axum")]
pub use value::path;
