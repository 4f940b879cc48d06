//! The retry budget: what repetitions may cost the sink beside first attempts.

use tokio::time::Instant;

use crate::sink::Bucket;

/// How many repetitions may go beyond what deliveries earn, after a time without faults.
const RESERVE: f64 = 50.0;
/// What each second earns, so that repetitions go on when nothing is delivered any more.
const PER_SECOND: f64 = 1.0;
/// What each delivery earns: a fifth of a repetition.
const PER_DELIVERY: f64 = 0.2;

/// One budget for all events. It only ever delays a repetition; nothing is given up for want of it.
#[derive(Debug)]
pub(super) struct RetryBudget(Bucket);

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(Bucket::new(PER_SECOND, RESERVE))
    }

    /// Pays for one repetition, or says when it can be paid.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        self.0.take(now)
    }

    /// Takes back the pay for a repetition that did not go after all.
    pub(super) fn refund(&mut self) {
        self.0.give(1.0);
    }

    pub(super) fn earn(&mut self) {
        self.0.give(PER_DELIVERY);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_empty_budget_is_filled_by_time_and_by_deliveries() {
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
