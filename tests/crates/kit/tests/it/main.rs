//! The service under test, as its owners would: what is recorded, what a failed assertion says, and
//! which routes are covered.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod assertions;
mod coverage;
mod events;
mod support;
