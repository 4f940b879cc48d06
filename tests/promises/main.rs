//! See the front page of the crate for what each module proves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod catalog;
mod delivery;
mod layer_order;
mod record;
mod rebuild;
mod request;
mod sdk;
mod support;
mod version;
