//! `cargo xtask package`: builds the package files of the published crates, and a service outside
//! of the repository that has nothing else of them.

mod command;
mod consumer;
mod contents;
mod server;
mod unpack;

pub(crate) use command::package;
