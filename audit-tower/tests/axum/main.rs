//! The layers in axum, most of them behind real sockets: every way in which a request can end, and
//! who is said to have acted.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod ends;
mod heads;
mod layers;
mod route;
mod support;
mod who;
