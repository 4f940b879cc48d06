//! The one count without a recorder: calls of audited functions that found none.

use std::sync::atomic::{AtomicU64, Ordering};

/// Drafts for which there was no recorder, in this process.
static UNRECORDED: AtomicU64 = AtomicU64::new(0);

/// How many calls of audited functions found neither a scope nor an installed recorder, in this
/// process.
///
/// They left no event; each call site has logged one error that says what to do, unless
/// `try_record!` told its caller. It is a count of the process because there is no recorder that it
/// could belong to.
#[must_use]
pub fn unrecorded() -> u64 {
    UNRECORDED.load(Ordering::Relaxed)
}

/// Counts one such call.
pub(crate) fn count_unrecorded() {
    UNRECORDED.fetch_add(1, Ordering::Relaxed);
}
