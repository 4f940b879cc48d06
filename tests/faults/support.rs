//! Recorders and events of the tests, and what their sink delivered.

use std::time::Duration;

use audit_tower::testing::FaultSink;
use audit_tower::{Event, EventId, Recorder, RecorderBuilder};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// Starts a recorder under the clock of the test.
pub(crate) fn start(builder: RecorderBuilder) -> Recorder {
    builder.build_in_runtime().unwrap()
}

pub(crate) fn event_of(organization: &str) -> Event {
    let event = Event::builder("document.delete").organization(organization);
    event.build().unwrap()
}

pub(crate) fn record(recorder: &Recorder, count: usize) -> Vec<EventId> {
    let record = |_| {
        let event = event_of("org_1");
        let id = event.id();
        recorder.record(event).unwrap();
        id
    };
    (0..count).map(record).collect()
}

/// Asserts that each of these events was delivered, once, and no other.
pub(crate) fn assert_delivered(sink: &FaultSink, recorded: &[EventId]) {
    let (mut delivered, mut recorded) = (sink.delivered(), recorded.to_vec());
    delivered.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(delivered, recorded);
}
