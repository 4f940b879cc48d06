//! What the middleware promises, on a real server over real sockets.
//!
//! | file | promise |
//! | --- | --- |
//! | `client_address.rs` | an address from a header only where trusted proxies are named |
//! | `ends.rs` | one event for every way in which a request can end, with actor, organization and address |
//! | `who.rs` | who acts, and for whom, from wherever it is said |
//! | `route.rs` | an event for a route whose handler was not touched; refusals and exemptions |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod client_address;
mod ends;
mod route;
mod support;
mod who;
