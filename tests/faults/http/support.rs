//! The client, the events and the waits of these tests.

use std::time::Duration;

use audit_tower::testing::assert_balanced;
use audit_tower::workos::{ApiKey, WorkOs, WorkOsBuilder};
use audit_tower::{Actor, Event, Health, RateLimit, Recorder, Target};

use crate::server::Request;

/// The deadline of every wait; a test that reaches it fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn key(text: &str) -> ApiKey {
    ApiKey::new(text).unwrap()
}

pub(super) fn client(url: impl Into<String>) -> WorkOsBuilder {
    WorkOs::builder(key("sk_test_local"))
        .base_url(url)
        .rate_limit(RateLimit::unlimited())
}

pub(super) fn recorder(client: WorkOsBuilder) -> Recorder {
    Recorder::builder(client.build().unwrap()).build().unwrap()
}

pub(super) fn event(id: usize) -> Event {
    Event::builder("document.delete")
        .organization("org_local")
        .actor(Actor::user("u1"))
        .target(Target::new("document", id))
        .build()
        .unwrap()
}

pub(super) fn record(recorder: &Recorder, events: usize) {
    for id in 0..events {
        recorder.record(event(id)).unwrap();
    }
}

/// Waits until health satisfies `is`, and returns it.
pub(super) async fn health(recorder: &Recorder, is: impl Fn(&Health) -> bool) -> Health {
    let look = async {
        loop {
            let health = recorder.health();
            if is(&health) {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, look).await;
    found.unwrap_or_else(|_| panic!("health is still {:?}", recorder.health()))
}

/// Shuts down and asserts that every event was delivered.
pub(super) async fn all_delivered(recorder: &Recorder) {
    recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    assert_eq!(
        (stats.delivered, stats.dead, stats.lost),
        (stats.accepted, 0, 0),
        "{stats:?}"
    );
    assert_balanced(recorder);
}

/// Groups requests by idempotency key, in the order of each key's first request.
pub(super) fn by_key(journal: Vec<Request>) -> Vec<Vec<Request>> {
    let mut keys: Vec<Vec<Request>> = Vec::new();
    for request in journal {
        assert_eq!(
            (&*request.method, &*request.path),
            ("POST", "/audit_logs/events")
        );
        match keys.iter_mut().find(|same| same[0].key() == request.key()) {
            Some(same) => same.push(request),
            None => keys.push(vec![request]),
        }
    }
    keys
}
