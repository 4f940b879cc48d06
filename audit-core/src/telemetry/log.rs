//! Rate-limited logs: a fault that repeats a thousand times a second produces one line with a
//! count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest time between two log lines of one kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// The rate limit of one kind of log line: one line per ten seconds.
#[derive(Debug)]
pub(crate) struct LogLimit {
    created_at: Instant,
    /// Milliseconds after `created_at` from which the next line may be written.
    next: AtomicU64,
    /// Lines suppressed since the last one that was written.
    suppressed: AtomicU64,
}

impl LogLimit {
    pub(crate) fn new() -> Self {
        Self {
            created_at: Instant::now(),
            next: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// Returns the number of lines suppressed since the last one if a line may be written now,
    /// otherwise `None`.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(u64::try_from(self.created_at.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let after = now.saturating_add(INTERVAL.as_millis() as u64);
        let won = now >= next
            && self
                .next
                .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if won {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_ten_seconds_is_admitted_with_the_number_of_suppressed_lines() {
        let limit = LogLimit::new();
        assert_eq!(limit.admit_at(0), Some(0));
        assert_eq!(limit.admit_at(1), None);
        assert_eq!(limit.admit_at(9_999), None);
        assert_eq!(limit.admit_at(10_000), Some(2));
        assert_eq!(limit.admit_at(10_001), None);
    }
}
