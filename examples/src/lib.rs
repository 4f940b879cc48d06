//! A documents service with an audit trail: what it takes to add one to a service of the usual
//! shape.
//!
//! `cargo demo` runs it; `cargo run -p examples --bin axum-service`, `actix-service` or
//! `tonic-service` runs it without the demo around it. Read [`service::axum`], [`service::actix`]
//! or [`service::tonic`] for the whole set-up, then one of the handlers: each has one attribute.
//! [`worker`] is about work without a request.
#![allow(
    clippy::missing_errors_doc,
    reason = "handlers answer with `AppError`, which says what it is"
)]

pub mod alone;
pub mod service;
pub mod worker;

/// The README's code, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
