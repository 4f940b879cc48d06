//! Tests of a service with the test kit: recorded events, messages of failed assertions, and
//! coverage of routes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod assertions;
mod coverage;
mod events;
mod support;
