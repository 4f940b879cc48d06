//! The state of delivery that the dispatcher publishes to health and metrics.

use std::time::Duration;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use super::parts::RateSample;
use crate::delivery::loader::Loader;
use crate::telemetry::SinkState;

/// The time between two publications of the oldest event's age, while events are pending.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest period over which the rate of deliveries is measured.
const RATE_WINDOW: Duration = Duration::from_secs(2);

impl Dispatcher {
    pub(super) fn publish_sink_state(&mut self, state: SinkState) {
        if self.published_state != state {
            self.published_state = state.clone();
            self.pipeline.health_tracker.set_sink(state);
        }
    }

    /// Publishes the age of the oldest event and the rate of deliveries.
    pub(super) fn publish_health(&mut self) {
        let now = Instant::now();
        #[cfg(feature = "metrics")]
        if self.publish_at <= now {
            self.publish_at = now + crate::telemetry::metrics::PUBLISH_INTERVAL;
            self.pipeline.publish_metrics();
        }
        let has_parked = self.loader.as_ref().is_some_and(Loader::has_parked);
        if self.health_at <= now || self.pending.is_empty() && !has_parked {
            self.health_at = now + HEALTH_INTERVAL;
            self.publish_oldest(now);
            self.publish_dropped();
        }
        let RateSample { since, finished } = self.rate_sample;
        if now.saturating_duration_since(since) >= RATE_WINDOW {
            let passed = now.saturating_duration_since(since).as_secs_f64();
            if self.progress.finished > finished {
                let rate = (self.progress.finished - finished) as f64 / passed;
                self.pipeline.health_tracker.set_rate(rate);
            }
            self.rate_sample = RateSample {
                since: now,
                finished: self.progress.finished,
            };
        }
    }

    /// Publishes the age of the oldest event: in memory, parked, or unread on the spool.
    fn publish_oldest(&self, now: Instant) {
        let in_memory = self.pending.values().map(|open| open.fetched_at);
        let loader = self.loader.as_ref();
        let parked = loader.into_iter().flat_map(Loader::parked);
        let known = in_memory
            .chain(parked.map(|parked| parked.fetched_at))
            .min();
        let known = known.map(|since| now.saturating_duration_since(since));
        let unread = loader
            .filter(|_| self.unread() > 0)
            .and_then(Loader::oldest_age);
        self.pipeline
            .health_tracker
            .set_oldest_age(known.max(unread));
    }

    /// Publishes that the spool has dropped dead letters for newer ones.
    fn publish_dropped(&mut self) {
        let Some(spool) = &self.pipeline.spool else {
            return;
        };
        let dropped = spool.dead_dropped();
        if self.dead_dropped.is_some_and(|before| before < dropped) {
            self.pipeline.health_tracker.record_dropped_dead_letter();
        }
        self.dead_dropped = Some(dropped);
    }
}
