//! `cargo xtask check-language`: measures the comments of all sources against the guide's goals.

mod baseline;
mod command;
mod comments;
mod exceptions;
mod measure;
mod sources;

pub(crate) use command::{CheckLanguage, check_language};
