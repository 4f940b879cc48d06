//! `cargo xtask check-language`: measures the language of all comments against its goals.
//!
//! - A summary line is "Verb object." ("Returns the queue's length.") or "The noun that …", never
//!   "What …" or "Whether …".
//! - Roles (caller, waiter, operator, client) and technical verbs (report, return, request, retry)
//!   replace persons and everyday verbs.
//! - A line with a comment is at most 100 columns wide.
//!
//! The figures are per package and in total, beside those of an earlier commit.

mod baseline;
mod command;
mod comments;
mod exceptions;
mod measure;

pub(crate) use command::{CheckLanguage, check_language};
