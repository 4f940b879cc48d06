//! What a service's own tests need: see what was recorded, assert it, break the sink, and prove
//! that no route escapes.
//!
//! Feature `testing`; it belongs into `[dev-dependencies]`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use audit_core::{Actor, assert_audited, assert_not_audited, audited, testing};
//!
//! // audit.toml:
//! // [action."document.delete"]
//! // targets = ["document"]
//! #[audited(action = "document.delete", target = "id")]
//! async fn delete(id: u64) -> Result<(), &'static str> {
//!     if id == 0 { Err("there is none") } else { Ok(()) }
//! }
//!
//! let capture = testing::capture();
//! let scope = capture.scope().actor(Actor::user("ada"));
//! assert!(scope.run(delete(42)).await.is_ok());
//!
//! let events = capture.events();
//! assert_audited!(events, action = "document.delete", target = 42, outcome = succeeded, actor = "ada");
//! assert_not_audited!(events, outcome = failed);
//! # }
//! ```
//!
//! # Capture
//!
//! [`capture`] gives a [`Capture`]: a recorder of its own for one test, so that tests which run
//! side by side never see each other's events. Give its [`recorder`](Capture::recorder) to the
//! service, or [`run`](Capture::run) a job in it. What it has seen is there at once and in the
//! order it was recorded, whatever the sink does; no test has to wait.
//!
//! # Assertions
//!
//! [`assert_audited!`](crate::assert_audited!) wants exactly one event with the fields that are
//! written, or exactly `count = n`, and gives it back. When it fails it shows the nearest event,
//! the fields that differ, and all that was recorded, in the notation of the macro.
//! [`assert_not_audited!`](crate::assert_not_audited!) wants none. The order is
//! `assert_eq!(events.actions(), ["document.create", "document.delete"])`. [`Events`] print and
//! serialise without what differs from run to run, for snapshots.
//!
//! # Faults
//!
//! [`FaultSink`] wraps a sink and follows a script: it fails, rejects, panics, hangs, delays or
//! limits the rate, for tests of how a service behaves while its audit log is unavailable. It
//! records each [`Attempt`], and a test can wait for one. [`assert_balanced`] checks that no event
//! got lost uncounted.
//!
//! # Coverage
//!
//! [`Capture::coverage`] holds a list of routes against the requests that were answered: each route
//! has to leave an event, or say with [`#[unaudited]`](macro@crate::unaudited) why not.
//! [`assert_covered!`](crate::assert_covered!) names those that do neither. [`coverage`] does the
//! same over all processes of a test run.

mod attempt;
mod balance;
mod capture;
mod coverage;
mod discard_sink;
mod events;
mod expected;
mod fault_sink;
mod macros;

pub use attempt::Attempt;
pub use balance::assert_balanced;
pub use capture::{Capture, capture};
pub use coverage::{Coverage, CoverageError, CoverageReport, coverage};
pub use discard_sink::DiscardSink;
pub use events::Events;
pub use fault_sink::FaultSink;

#[doc(hidden)]
pub use coverage::assert_covered;
#[doc(hidden)]
pub use expected::Expected;
