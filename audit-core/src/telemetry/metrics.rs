//! Metrics of each recorder: its counts, the age of its events, and its health.
//!
//! With the feature `metrics`, the dispatcher of each recorder publishes them every five seconds,
//! and once more when it ends, through the [`metrics`](https://docs.rs/metrics) facade to the
//! exporter that the process has installed, such as one for Prometheus. Each metric has the label
//! `recorder` with the name set by [`RecorderBuilder::name`](crate::RecorderBuilder::name). No
//! metric contains any content of an event.
//!
//! | name | kind | meaning |
//! | --- | --- | --- |
#![doc = include_str!("metrics.md")]
//!
//! `examples/alerts.yml` in the repository has alerting rules for Prometheus.

use std::time::Duration;

use metrics::{Label, counter, gauge};

use super::health::{Health, HealthState};
use super::stats::Stats;
use super::unrecorded::unrecorded;

/// The time between two publications.
pub(crate) const PUBLISH_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the number that a metric reports.
type Count = fn(&Stats) -> u64;

/// The counters by name, with the number that each reports; each only ever grows.
const COUNTERS: [(&str, Count); 15] = [
    ("audit_events_accepted_total", |stats| stats.accepted),
    ("audit_events_refused_total", |stats| stats.refused),
    ("audit_events_dropped_total", |stats| stats.dropped),
    ("audit_events_generated_total", |stats| stats.generated),
    ("audit_events_delivered_total", |stats| stats.delivered),
    ("audit_events_coalesced_total", |stats| stats.coalesced),
    ("audit_events_lost_total", |stats| stats.lost),
    ("audit_dead_letters_dropped_total", |stats| {
        stats.dead_dropped
    }),
    ("audit_durable_deadline_exceeded_total", |stats| {
        stats.deadline_exceeded
    }),
    ("audit_attempts_retried_total", |stats| stats.retried),
    ("audit_events_truncated_total", |stats| stats.truncated),
    ("audit_events_unresolved_total", |stats| stats.unresolved),
    ("audit_calls_skipped_total", |stats| stats.skipped),
    ("audit_calls_unrecorded_total", |_| unrecorded()),
    ("audit_requests_unaudited_total", |stats| stats.unaudited),
];

/// The gauges by name that report a number of [`Stats`].
const GAUGES: [(&str, Count); 3] = [
    ("audit_events_dead", |stats| stats.dead),
    ("audit_events_pending", |stats| stats.pending),
    ("audit_events_pending_bytes", |stats| stats.pending_bytes),
];

const HEALTH: &str = "audit_health";
const OLDEST: &str = "audit_oldest_pending_seconds";
const DRAIN: &str = "audit_drain_seconds";

/// Publishes all metrics of one recorder.
pub(crate) fn publish(name: &str, stats: &Stats, health: &Health) {
    let label = || vec![Label::new("recorder", name.to_owned())];
    for (metric, count) in COUNTERS {
        counter!(metric, label()).absolute(count(stats));
    }
    for (metric, count) in GAUGES {
        gauge!(metric, label()).set(count(stats) as f64);
    }
    let state = match health.state {
        HealthState::Healthy => 0.0,
        HealthState::Degraded => 1.0,
        HealthState::Unhealthy => 2.0,
    };
    gauge!(HEALTH, label()).set(state);
    let seconds = |time: Option<Duration>, none| time.map_or(none, |time| time.as_secs_f64());
    gauge!(OLDEST, label()).set(seconds(health.oldest_pending, 0.0));
    gauge!(DRAIN, label()).set(seconds(health.drain_time, f64::INFINITY));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;
    use crate::event::{Actor, Event};
    use crate::recorder::Recorder;
    use crate::sink::MemorySink;

    fn names() -> impl Iterator<Item = &'static str> {
        let counters = COUNTERS.into_iter().map(|(name, _)| name);
        let gauges = GAUGES.into_iter().map(|(name, _)| name);
        counters.chain(gauges).chain([HEALTH, OLDEST, DRAIN])
    }

    #[test]
    fn documented_table_lists_exactly_the_metrics() {
        let table: Vec<_> = include_str!("metrics.md")
            .lines()
            .map(|row| row.split('`').nth(1).unwrap())
            .collect();
        assert_eq!(table, names().collect::<Vec<_>>());
    }

    #[test]
    fn alert_rules_use_only_existing_metrics() {
        // Read at run time, since the examples are not part of the package.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/alerts.yml");
        let rules = std::fs::read_to_string(path).unwrap();
        let mut used = 0;
        for word in rules.split(|c: char| !(c.is_ascii_lowercase() || c == '_')) {
            if word.starts_with("audit_") {
                used += 1;
                assert!(names().any(|name| name == word), "{word}");
            }
        }
        assert!(used >= 5);
    }

    #[test]
    fn recorder_publishes_its_stats_and_health() {
        let exporter = DebuggingRecorder::new();
        let snapshots = exporter.snapshotter();
        let builder = Recorder::builder(MemorySink::with_limit(2)).name("main");
        let (recorder, mut dispatcher) = builder.assemble();
        for _ in 0..3 {
            let event = Event::builder("a").actor(Actor::system());
            recorder.record(event.build().unwrap()).unwrap();
        }
        metrics::with_local_recorder(&exporter, || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::join!(dispatcher.run(), recorder.shutdown(Duration::from_secs(5)))
            });
        });
        let found: BTreeMap<_, _> = snapshots
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| {
                let label = key.key().labels().next().unwrap();
                assert_eq!((label.key(), label.value()), ("recorder", "main"));
                (key.key().name().to_owned(), value)
            })
            .collect();
        assert_eq!(found.len(), names().count());
        assert_eq!(found["audit_events_accepted_total"], DebugValue::Counter(3));
        assert_eq!(
            found["audit_events_delivered_total"],
            DebugValue::Counter(2)
        );
        assert_eq!(found["audit_events_dead"], DebugValue::Gauge(1.0.into()));
        // The sink rejected an event within the last minute.
        assert_eq!(found["audit_health"], DebugValue::Gauge(1.0.into()));
    }
}
