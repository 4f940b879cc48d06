//! Network and service faults, with the real client over real sockets.

mod content;
mod network;
mod responses;
mod support;
