//! The retry budget: the share of retries among the attempts.

use tokio::time::Instant;

use crate::sink::TokenBucket;

/// The retries that are permitted beyond what deliveries earn, after a time without faults.
const RESERVE: f64 = 50.0;
/// The retries earned per second, so that retries continue when nothing is delivered.
const PER_SECOND: f64 = 1.0;
/// The retries earned per delivery: a fifth.
const PER_DELIVERY: f64 = 0.2;

/// One budget for all events. It only ever delays a retry, and never drops one.
#[derive(Debug)]
pub(super) struct RetryBudget(TokenBucket);

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(TokenBucket::new(PER_SECOND, RESERVE))
    }

    /// Pays for one retry, or returns the time at which it can be paid.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        self.0.try_take(now)
    }

    /// Refunds a retry that was not sent.
    pub(super) fn refund(&mut self) {
        self.0.add(1.0);
    }

    pub(super) fn earn(&mut self) {
        self.0.add(PER_DELIVERY);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_empty_budget_refills_with_time_and_with_deliveries() {
        let mut budget = RetryBudget::new();
        let now = Instant::now();
        let reserve = std::iter::from_fn(|| budget.take(now).ok()).count();
        assert_eq!(reserve, 50);

        let next = budget.take(now).unwrap_err();
        assert_eq!(next - now, Duration::from_secs(1));
        assert!(budget.take(next).is_ok());
        assert!(budget.take(next).is_err());

        for _ in 0..6 {
            budget.earn();
        }
        assert!(budget.take(next).is_ok());
        assert!(
            budget.take(next).is_err(),
            "six deliveries earn one, not two"
        );
    }
}
