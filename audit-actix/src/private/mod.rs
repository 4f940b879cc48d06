//! The functions that macro expansions call: those of `audit-core`, and the outcome of actix-web's
//! responses.

pub mod outcome;

pub use audit_core::private::*;
pub use outcome::{OutcomeOf, Probe};
