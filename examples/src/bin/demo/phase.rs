//! One phase of the traffic, with the latencies of its requests.

use std::time::Duration;

/// The requests of one phase of the traffic.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// The latency of each request, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// Number of undelivered events at the end.
    pub(crate) pending: u64,
}

impl Phase {
    pub(crate) fn requests(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1) - 1;
        self.latencies.get(rank).copied().unwrap_or_default()
    }
}
