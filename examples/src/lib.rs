//! A documents service with an audit trail: what it takes to add one to a service of the usual shape.
//!
//! `cargo demo` runs it. Read [`service::axum`] for the whole set-up, then one of its handlers: each has one attribute.
#![allow(
    clippy::missing_errors_doc,
    reason = "handlers answer with `AppError`, which says what it is"
)]

pub mod service;

/// The README's code, which has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
