//! Promises of the framework; the front page of the crate lists them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod catalog;
mod delivery;
mod durable;
mod layer_order;
mod rebuild;
mod record;
mod request;
mod sdk;
mod support;
mod verify;
mod version;
