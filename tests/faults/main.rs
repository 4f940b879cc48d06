//! What delivery has to survive, and the tests that it does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod http;
mod policy;
mod server;
mod support;
