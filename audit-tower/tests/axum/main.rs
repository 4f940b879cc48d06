//! The layers in axum, most of them over real sockets.
//!
//! | file | claim |
//! | --- | --- |
//! | `identity.rs` | actor and organization come from the last source that sets them |
//! | `endings.rs` | every way in which a request can end leaves one event |
//! | `bodies.rs` | streaming bodies and upgrades do not change an outcome; methods without a body |
//! | `layers.rs` | other layers inside and outside |
//! | `route.rs` | events of an audited route, and exempt routes |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bodies;
mod endings;
mod identity;
mod layers;
mod route;
mod support;
