//! The middleware on a real server, over real sockets.
//!
//! | file | claim |
//! | --- | --- |
//! | `client_address.rs` | an address comes from a header only with trusted proxies |
//! | `endings.rs` | every way in which a request can end leaves one event, with actor, organization and address |
//! | `identity.rs` | where actor and organization come from |
//! | `route.rs` | events of an audited route; denials before the handler; exempt routes |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod client_address;
mod endings;
mod identity;
mod route;
mod support;
