//! Audit events for Rust services: who did what, to which thing, when, from where.
//!
//! This crate is everything a service needs without a web framework. Behind axum or another tower
//! service use `audit-tower`, behind actix-web `audit-actix`; both re-export all of it.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use audit_core::{Actor, Event, MemorySink, Recorder, Target};
//! use std::time::Duration;
//!
//! let sink = MemorySink::new();                       // or `WorkOs::from_env()?`
//! let recorder = Recorder::builder(sink.clone()).build()?;
//!
//! let event = Event::builder("document.delete")
//!     .organization("org_01EHWNCE74X7JSDV0X3SZ3KJNY")
//!     .actor(Actor::user("user_1").name("Ada Lovelace"))
//!     .target(Target::new("document", 42))
//!     .build()?;
//! recorder.record(event)?;                            // returns at once
//!
//! recorder.shutdown(Duration::from_secs(5)).await;
//! assert_eq!(sink.events()[0].action(), "document.delete");
//! # Ok(()) }
//! ```
//!
//! # The path of an event
//!
//! An audited function opens a [`Draft`] on entry and closes it on exit, or on drop. The [`Scope`]
//! of the request or job adds actor, organization and context. The [`Recorder`] accepts the event
//! into a queue that is bounded in events and bytes. A dispatcher on a thread of its own delivers
//! it to a [`Sink`], retries after retryable faults, and keeps rejected events as [`DeadLetter`]s.
//!
//! # Checked names
//!
//! [`action!`] is the name of an action as a constant, [`catalog!`] defines a constant for each
//! action of the catalog, and [`record!`] records an event inside a function. A name that
//! `audit.toml` does not have does not compile.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `workos` | yes | the [`workos`] module: the WorkOS Audit Logs client and sink, over reqwest with rustls |
//! | `json-lines` | | the sink `JsonLines`: a line of JSON per event, to the standard output or to rotated files |
//! | `metrics` | | the counts, ages and health as metrics of the [`metrics`](https://docs.rs/metrics) facade |
//! | `spool` | | [`Spool`]: events on disk, in SQLite, so that they outlive the process |
//! | `bundled-sqlite` | yes | with `spool`: SQLite is compiled in; without it, the system's is linked |
//! | `testing` | | the `testing` module and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`: for the tests of a service, under `[dev-dependencies]` |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod catalog;
mod delivery;
mod event;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod macros;
#[doc(hidden)]
pub mod private;
mod recorder;
mod scope;
mod sink;
#[cfg(feature = "spool")]
mod spool;
mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod web;
#[cfg(feature = "workos")]
pub mod workos;

pub use audit_derive::{audited, unaudited};

pub use crate::catalog::{
    Action, CoalesceBy, EmbeddedAction, EmbeddedCatalog, EmbeddedCoalesce, EmbeddedField,
    EmbeddedTarget, FieldKind,
};
pub use crate::delivery::{DeadLetter, Report};
pub use crate::event::{
    Actor, ActorKind, ActorRef, AuditId, AuditOutcome, AuditText, BooleanValue, Context, Event,
    EventBuilder, EventError, EventId, Metadata, MetadataValue, NumberValue, OrganizationId,
    Outcome, Secret, Target, TargetRef, Targets, Text, TextValue, Value,
};
pub use crate::private::TryRecordError;
pub use crate::recorder::{
    BuildError, Guard, InstallError, RecordError, Recorder, RecorderBuilder, Redriven,
};
pub use crate::scope::{Draft, InScope, Principal, Scope};
pub use crate::sink::{Delivery, Fault, MemorySink, RateLimit, Sink};
#[cfg(feature = "json-lines")]
pub use crate::sink::{JsonLines, Rotation};
#[cfg(feature = "spool")]
pub use crate::spool::{
    Spool, SpoolBuilder, SpoolCheck, SpoolError, SpoolFile, SpoolFileStatus, SpoolRedrive,
    SpoolStatus, SpooledDeadLetter,
};
#[cfg(feature = "metrics")]
pub use crate::telemetry::metrics;
pub use crate::telemetry::{Health, HealthProblem, HealthState, Stats, unrecorded};
pub use crate::web::{TrustedProxies, TrustedProxiesError};
#[cfg(feature = "workos")]
pub use crate::workos::WorkOs;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
