//! The rate limit of a sink: a token bucket over attempts.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The burst that is allowed after a time without attempts, in seconds' worth of attempts.
///
/// With the default rate limit of the WorkOS client, at most 5,850 attempts fall into any sixty
/// seconds; the service allows 6,000.
const BURST: f64 = 5.0;

/// The highest rate of attempts at a [`Sink`](crate::Sink), in attempts per second.
///
/// Clones share one count, so two recorders with one [`WorkOs`](crate::WorkOs) client keep the
/// limit together. Processes do not share it: give each its part, such as a third of the limit for
/// each of three processes.
///
/// After a time without attempts, a burst of five seconds' worth is allowed; from then on attempts
/// are spread evenly. An event whose attempt has to wait stays in the recorder's queue, and no
/// caller waits for it.
///
/// ```
/// use audit_core::RateLimit;
///
/// let whole = RateLimit::per_second(90.0);
/// let third = RateLimit::per_second(30.0);
/// assert_eq!(third.rate(), Some(30.0));
/// assert_eq!(RateLimit::unlimited().rate(), None);
/// ```
#[derive(Clone, Default)]
pub struct RateLimit {
    bucket: Option<Arc<Mutex<TokenBucket>>>,
}

impl RateLimit {
    /// Creates a limit of `rate` attempts per second.
    ///
    /// A rate that is not a number above zero is replaced by one attempt per minute, and any lower
    /// rate is raised to it.
    #[must_use]
    pub fn per_second(rate: f64) -> Self {
        let rate = if rate.is_nan() { 0.0 } else { rate };
        let rate = rate.clamp(1.0 / 60.0, f64::from(u32::MAX));
        Self {
            bucket: Some(Arc::new(Mutex::new(TokenBucket::new(
                rate,
                (rate * BURST).max(1.0),
            )))),
        }
    }

    /// Creates a limit that permits every attempt immediately.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { bucket: None }
    }

    /// Returns the limit in attempts per second; `None` if there is no limit.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let bucket = self.bucket.as_ref()?;
        Some(bucket.lock().unwrap_or_else(PoisonError::into_inner).rate)
    }

    /// Takes the permit for one attempt.
    ///
    /// # Errors
    ///
    /// Returns the moment of the next permit if there is none now.
    pub(crate) fn try_acquire(&self, now: Instant) -> Result<(), Instant> {
        match &self.bucket {
            None => Ok(()),
            Some(bucket) => bucket
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .try_take(now),
        }
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rate() {
            Some(rate) => write!(f, "RateLimit({rate} per second)"),
            None => f.write_str("RateLimit(unlimited)"),
        }
    }
}

/// A token bucket: full at the start, and refilled by time and by [`add`](TokenBucket::add).
#[derive(Debug)]
pub(crate) struct TokenBucket {
    rate: f64,
    size: f64,
    tokens: f64,
    refilled_at: Option<Instant>,
}

impl TokenBucket {
    /// Creates a full bucket of `size` tokens, which gains `rate` tokens per second.
    pub(crate) fn new(rate: f64, size: f64) -> Self {
        Self {
            rate,
            size,
            tokens: size,
            refilled_at: None,
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    ///
    /// Returns the moment of the next token if there is none now.
    pub(crate) fn try_take(&mut self, now: Instant) -> Result<(), Instant> {
        let refilled_at = *self.refilled_at.get_or_insert(now);
        let passed = now.saturating_duration_since(refilled_at);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate).min(self.size);
        self.refilled_at = Some(now.max(refilled_at));
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // At least 1 ms ahead; otherwise a waiter that wakes early would loop.
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.rate);
        Err(now + wait.max(Duration::from_millis(1)))
    }

    /// Adds tokens beyond those that time adds.
    pub(crate) fn add(&mut self, tokens: f64) {
        self.tokens = (self.tokens + tokens).min(self.size);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn no_minute_of_an_hour_exceeds_the_limit_of_the_service() {
        let limit = RateLimit::per_second(90.0);
        let clone = limit.clone();
        let start = Instant::now();
        let hour = start + Duration::from_secs(3_600);
        let (mut now, mut taken, mut most) = (start, 0_u32, 0);
        let mut window = VecDeque::new();
        while now < hour {
            let limit = if taken.is_multiple_of(2) {
                &limit
            } else {
                &clone
            };
            match limit.try_acquire(now) {
                Ok(()) => {
                    taken += 1;
                    window.push_back(now);
                    while window
                        .front()
                        .is_some_and(|first| now - *first >= Duration::from_secs(60))
                    {
                        window.pop_front();
                    }
                    most = most.max(window.len());
                }
                Err(next) => now = next,
            }
            // Ten minutes without attempts in the middle never accumulate beyond the burst.
            if taken == 100_000 {
                now += Duration::from_secs(600);
                taken += 1;
            }
        }
        assert!((5_400..=6_000).contains(&most), "{most} in a minute");
        assert!(
            taken > 250_000,
            "{taken} in an hour, so the limit is used in full"
        );
    }

    #[test]
    fn invalid_rate_becomes_one_attempt_per_minute() {
        for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            let limit = RateLimit::per_second(rate);
            let now = Instant::now();
            assert!(limit.try_acquire(now).is_ok());
            let next = limit.try_acquire(now).unwrap_err();
            assert_eq!((next - now).as_secs_f64().round(), 60.0, "{rate}");
        }
    }
}
