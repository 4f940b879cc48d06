//! The only count of the whole process: calls of audited functions that found no recorder.

use std::sync::atomic::{AtomicU64, Ordering};

/// Calls without a recorder, in this process.
static UNRECORDED: AtomicU64 = AtomicU64::new(0);

/// Returns the number of calls of audited functions in this process that found neither a scope nor
/// an installed recorder.
///
/// Such a call records no event. Its call site logs one error with the remedy, unless it is
/// `try_record!`, which returns the error. The count belongs to the process because there is no
/// recorder to which it could belong.
#[must_use]
pub fn unrecorded() -> u64 {
    UNRECORDED.load(Ordering::Relaxed)
}

/// Counts a call without a recorder.
pub(crate) fn count_unrecorded() {
    UNRECORDED.fetch_add(1, Ordering::Relaxed);
}
