//! Tests of the running server over real sockets. One binary, so that it is linked once.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

mod errors;
mod events;
mod exports;
mod faults;
mod host;
mod hostile;
mod idempotency;
mod local;
mod portal;
mod retention;
mod schemas;
mod stream;
mod support;
mod viewer;
