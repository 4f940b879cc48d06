//! One request through axum, in some layers.
//!
//! It is made without a socket, which costs many times what is measured, and varies by more.

mod pass_through;
#[cfg(feature = "peers")]
mod rounds;
mod stack;

#[cfg(feature = "peers")]
pub use rounds::rounds;
pub use stack::{
    AUDITED, NO_EVENT, NO_LAYER, PASS_THROUGH, Stack, TRACE, TRACE_JSON, requests, stacks,
};
