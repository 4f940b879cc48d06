//! The delivery of an event to a server on this machine, and its cost for the process that sends
//! it.

mod rounds;
mod senders;
mod server;

pub use rounds::{Delivered, HYPER, OURS, REQWEST, SDK, SEQUENTIAL, rounds};
