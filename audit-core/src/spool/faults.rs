//! Commits that fail on demand, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Which commit fails, and how. Clones share the count, also over a reopened file.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// How many more commits succeed before one fails without a trace.
    before: Arc<AtomicI64>,
    /// How many more commits succeed before one is done, and says that it failed: the disk's answer was lost.
    after: Arc<AtomicI64>,
}

impl Faults {
    /// The `n`-th commit from now fails, and nothing of it is on the disk.
    pub(super) fn fail(&self, n: i64) {
        self.before.store(n, Ordering::SeqCst);
    }

    /// The `n`-th commit from now is done, and fails.
    pub(super) fn fail_after(&self, n: i64) {
        self.after.store(n, Ordering::SeqCst);
    }

    pub(super) fn before_commit(&self) -> rusqlite::Result<()> {
        count_down(&self.before)
    }

    pub(super) fn after_commit(&self) -> rusqlite::Result<()> {
        count_down(&self.after)
    }
}

/// Zero stands for no fault at all.
fn count_down(left: &AtomicI64) -> rusqlite::Result<()> {
    if left.load(Ordering::SeqCst) > 0 && left.fetch_sub(1, Ordering::SeqCst) == 1 {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
            None,
        ));
    }
    Ok(())
}
