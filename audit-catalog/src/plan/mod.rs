//! Compares catalog, lock and the schemas of the service.
//!
//! [`remote`] is the service's side, [`plan`](mod@plan) the comparison, [`schema_diff`] the
//! differences of two schemas.

mod plan;
mod remote;
mod schema_diff;
#[cfg(test)]
mod tests;

pub use plan::{Plan, PlanState, PlannedAction};
pub use remote::{Remote, RemoteSchema};
pub use schema_diff::{ChangeKind, SchemaChange};
