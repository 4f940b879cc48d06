//! How many attempts a second a sink may see.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many seconds' worth of attempts may go at once after a silence. With the default pace of the
/// WorkOS client, any sixty seconds then see at most 5,850 attempts, of the 6,000 that the service
/// takes.
const BURST: f64 = 5.0;

/// How many attempts a second a [`Sink`](crate::Sink) may see, counted over all that share it.
///
/// Clones share one count, so two recorders with one [`WorkOs`](crate::WorkOs) client keep the pace
/// together. Processes do not see each other: give each its share, such as a third of the limit for
/// three of them.
///
/// After a silence, five seconds' worth may go at once; from then on attempts are spread evenly. An
/// attempt that has to wait keeps its place in the recorder's queue; nobody else waits for it.
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
    bucket: Option<Arc<Mutex<Bucket>>>,
}

impl RateLimit {
    /// At most this many attempts a second. A rate that is not a number above zero is taken as one
    /// a minute.
    #[must_use]
    pub fn per_second(rate: f64) -> Self {
        let rate = if rate.is_nan() { 0.0 } else { rate };
        let rate = rate.clamp(1.0 / 60.0, f64::from(u32::MAX));
        Self {
            bucket: Some(Arc::new(Mutex::new(Bucket::new(
                rate,
                (rate * BURST).max(1.0),
            )))),
        }
    }

    /// As many as the sink takes.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { bucket: None }
    }

    /// The attempts a second, unless they are unlimited.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let bucket = self.bucket.as_ref()?;
        Some(bucket.lock().unwrap_or_else(PoisonError::into_inner).rate)
    }

    /// Takes leave for one attempt, or says when there will be one.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Instant> {
        match &self.bucket {
            None => Ok(()),
            Some(bucket) => bucket
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(now),
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

/// A token bucket: full at the start, filled by time, and by whoever [gives](Bucket::give).
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    size: f64,
    tokens: f64,
    filled: Option<Instant>,
}

impl Bucket {
    /// A full bucket of `size` tokens, which gains `rate` a second.
    pub(crate) fn new(rate: f64, size: f64) -> Self {
        Self {
            rate,
            size,
            tokens: size,
            filled: None,
        }
    }

    /// Takes one token, or says when there will be one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let filled = *self.filled.get_or_insert(now);
        let passed = now.saturating_duration_since(filled);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate).min(self.size);
        self.filled = Some(now.max(filled));
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // Never the same moment again, or whoever waits for it would wait without end.
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.rate);
        Err(now + wait.max(Duration::from_millis(1)))
    }

    /// Adds tokens beside those that time brings.
    pub(crate) fn give(&mut self, tokens: f64) {
        self.tokens = (self.tokens + tokens).min(self.size);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn no_minute_of_an_hour_sees_more_than_the_service_takes() {
        let pace = RateLimit::per_second(90.0);
        let other = pace.clone();
        let start = Instant::now();
        let hour = start + Duration::from_secs(3_600);
        let (mut now, mut taken, mut most) = (start, 0_u32, 0);
        let mut window = VecDeque::new();
        while now < hour {
            let of = if taken.is_multiple_of(2) {
                &pace
            } else {
                &other
            };
            match of.take(now) {
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
            // Half an hour of silence in the middle must not be saved up.
            if taken == 100_000 {
                now += Duration::from_secs(600);
                taken += 1;
            }
        }
        assert!((5_400..=6_000).contains(&most), "{most} in a minute");
        assert!(
            taken > 250_000,
            "{taken} in an hour, so the pace is kept up"
        );
    }

    #[test]
    fn a_rate_that_is_no_rate_is_one_a_minute() {
        for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            let pace = RateLimit::per_second(rate);
            let now = Instant::now();
            assert!(pace.take(now).is_ok());
            let next = pace.take(now).unwrap_err();
            assert_eq!((next - now).as_secs_f64().round(), 60.0, "{rate}");
        }
    }
}
