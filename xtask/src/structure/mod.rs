//! `cargo xtask check-structure`: imports go one way, between the crates and inside each of them.
//!
//! A reader who knows the floors of a crate knows what a file can depend on: nothing above it, and
//! nothing that depends on it. `cargo xtask test` holds the same by tests.

mod check;
mod circles;
mod command;
#[cfg(test)]
mod direction;
mod floors;
mod krate;
mod references;
mod style;

pub(crate) use command::{CheckStructure, check_structure};
