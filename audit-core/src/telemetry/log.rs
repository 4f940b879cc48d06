//! Rate-limited logs: a fault that repeats a thousand times a second is one line with a count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The same complaint is logged at most this often.
const EVERY: Duration = Duration::from_secs(10);

/// Lets one line through per ten seconds.
#[derive(Debug)]
pub(crate) struct LogLimit {
    born: Instant,
    /// Milliseconds since `born` from which the next line may be written.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl LogLimit {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            next: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// Whether to write a line now, and if so how many were suppressed since the last.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let after = now.saturating_add(EVERY.as_millis() as u64);
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
    fn one_line_per_ten_seconds_says_how_many_it_stands_for() {
        let limit = LogLimit::new();
        assert_eq!(limit.admit_at(0), Some(0));
        assert_eq!(limit.admit_at(1), None);
        assert_eq!(limit.admit_at(9_999), None);
        assert_eq!(limit.admit_at(10_000), Some(2));
        assert_eq!(limit.admit_at(10_001), None);
    }
}
