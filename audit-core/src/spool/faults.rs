//! Commits that fail on demand, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The commits that fail. Clones share the counts, also across a reopened file.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    before: Arc<Countdown>,
    after: Arc<Countdown>,
}

#[derive(Debug, Default)]
struct Countdown {
    /// The number of commits that still succeed, and of those after them that fail.
    succeed: AtomicI64,
    fail: AtomicI64,
}

impl Faults {
    /// After `succeed` more commits, fails `fail` of them and writes nothing.
    pub(super) fn fail(&self, succeed: i64, fail: i64) {
        self.before.set(succeed, fail);
    }

    /// After `succeed` more commits, writes `fail` of them and returns an error all the same.
    pub(super) fn fail_after_commit(&self, succeed: i64, fail: i64) {
        self.after.set(succeed, fail);
    }

    pub(super) fn before_commit(&self) -> rusqlite::Result<()> {
        self.before.count()
    }

    pub(super) fn after_commit(&self) -> rusqlite::Result<()> {
        self.after.count()
    }
}

impl Countdown {
    fn set(&self, succeed: i64, fail: i64) {
        self.succeed.store(succeed, Ordering::SeqCst);
        self.fail.store(fail, Ordering::SeqCst);
    }

    fn count(&self) -> rusqlite::Result<()> {
        let is_due = self.fail.load(Ordering::SeqCst) > 0
            && self.succeed.fetch_sub(1, Ordering::SeqCst) <= 0;
        if is_due {
            self.fail.fetch_sub(1, Ordering::SeqCst);
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
                None,
            ));
        }
        Ok(())
    }
}
