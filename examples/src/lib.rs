//! A documents service with an audit log, as an example for services on axum, actix-web and tonic.
//!
//! `cargo demo` runs it with a local audit log server. `cargo run -p examples --bin axum-service`
//! (or `actix-service`, `tonic-service`) runs the service alone. For the whole setup read the
//! function `serve` of [`service::axum`], [`service::actix`] or [`service::tonic`], then a handler:
//! each has one attribute. [`worker`] shows jobs without a request.
#![allow(
    clippy::missing_errors_doc,
    reason = "handlers return `AppError`, which documents its variants"
)]

pub mod service;
pub mod standalone;
pub mod worker;

/// The code of the README, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
