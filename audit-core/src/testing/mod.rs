//! Test kit for services: captures recorded events, asserts on them, injects sink faults, and
//! checks that every route is audited.
//!
//! Feature `testing`; add it under `[dev-dependencies]`.
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
//! assert_audited!(
//!     events,
//!     action = "document.delete",
//!     target = 42,
//!     outcome = succeeded,
//!     actor = "ada"
//! );
//! assert_not_audited!(events, outcome = failed);
//! # }
//! ```
//!
//! # Capture
//!
//! [`capture`] returns a [`Capture`]: a recorder for one test, so that tests that run in parallel
//! never see each other's events. Pass its [`recorder`](Capture::recorder) to the service, or
//! [`run`](Capture::run) a job in it. Events are available immediately and in the order of
//! recording, independent of the sink; no test has to wait for delivery.
//!
//! # Assertions
//!
//! [`assert_audited!`](crate::assert_audited!) requires exactly one event with the given fields, or
//! exactly `count = n`, and returns it. A failure shows the nearest event, the fields that differ,
//! and all recorded events, in the notation of the macro.
//! [`assert_not_audited!`](crate::assert_not_audited!) requires that there is none. To assert the
//! order: `assert_eq!(events.actions(), ["document.create", "document.delete"])`. [`Events`] prints
//! and serialises without ids and times, for snapshots.
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
//! [`Capture::coverage`] compares a list of routes with the completed requests: each route has to
//! produce an event, or give a reason with [`#[unaudited]`](macro@crate::unaudited).
//! [`assert_covered!`](crate::assert_covered!) fails with the routes that do neither. [`coverage`]
//! does the same for all processes of a test run.

mod attempt;
mod balance;
#[cfg(feature = "testing")]
mod capture;
#[cfg(feature = "testing")]
mod coverage;
mod discard_sink;
#[cfg(feature = "testing")]
mod events;
#[cfg(feature = "testing")]
mod expected;
mod fault_sink;
#[cfg(feature = "testing")]
mod macros;

pub use attempt::Attempt;
pub use balance::assert_balanced;
#[cfg(feature = "testing")]
pub use capture::{Capture, capture};
#[cfg(feature = "testing")]
pub use coverage::{Coverage, CoverageError, CoverageReport, coverage};
pub use discard_sink::DiscardSink;
#[cfg(feature = "testing")]
pub use events::Events;
pub use fault_sink::FaultSink;

#[cfg(feature = "testing")]
#[doc(hidden)]
pub use coverage::assert_covered;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use expected::Expected;
