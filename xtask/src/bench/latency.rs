//! Latencies and their percentiles.

use std::fmt;
use std::time::Duration;

/// The latencies of many requests.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    sorted: Vec<Duration>,
}

impl Latencies {
    pub(super) fn add(&mut self, more: impl IntoIterator<Item = Duration>) {
        self.sorted.extend(more);
        self.sorted.sort_unstable();
    }

    /// Returns the shortest latency that at least `percent` of all do not exceed (nearest rank);
    /// zero without any.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100);
        let index = rank.saturating_sub(1);
        self.sorted.get(index).copied().unwrap_or_default()
    }

    pub(super) fn max(&self) -> Duration {
        self.percentile(100)
    }
}

/// Returns `this` in multiples of `that`.
pub(super) fn ratio(this: Duration, that: Duration) -> f64 {
    this.as_secs_f64() / that.as_secs_f64()
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [self.percentile(50), self.percentile(99), self.max()]
            .map(|latency| format!("{} µs", latency.as_micros()));
        write!(f, "{p50:>10} {p99:>10} {max:>10}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), Duration::ZERO);
        latencies.add((1..=200).rev().map(Duration::from_millis));
        assert_eq!(latencies.percentile(50), Duration::from_millis(100));
        assert_eq!(latencies.percentile(99), Duration::from_millis(198));
        assert_eq!(latencies.max(), Duration::from_millis(200));
        let mut one = Latencies::default();
        one.add([Duration::from_millis(7)]);
        assert_eq!(one.percentile(50), one.max());
    }

    #[test]
    fn ratio_is_of_the_first_to_the_second() {
        let [this, that] = [3, 2].map(Duration::from_millis);
        assert!((ratio(this, that) - 1.5).abs() < 1e-9);
    }
}
