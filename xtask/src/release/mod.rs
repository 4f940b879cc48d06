//! `cargo xtask check-release`: what can be checked of a release without compiling it.

mod check;
mod dependencies;
mod licence;
mod packages;
mod placeholders;
mod rust_version;

pub(crate) use check::check_release;
