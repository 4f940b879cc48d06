//! Promise: a service that starts with a catalog that nobody registered says so before its first event is refused.

use std::time::Duration;

use audit_server::LocalServer;
use audit_tower::{HealthLevel, Recorder, catalog};

use crate::support::{client, register};

/// Waits until health is no longer, or again, what the test looks for.
async fn until(recorder: &Recorder, wanted: impl Fn(HealthLevel, &str) -> bool) -> String {
    loop {
        let health = recorder.health();
        let reason = health.reason.unwrap_or_default();
        if wanted(health.level, &reason) {
            return reason;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_action_that_the_service_does_not_know_is_named_in_the_health() {
    let server = LocalServer::start().unwrap();
    let service = client(server.url());
    let start = || {
        let recorder = Recorder::builder(service.clone()).catalog(catalog!());
        recorder.verify_catalog().build().unwrap()
    };
    let recorder = start();
    let reason = until(&recorder, |level, _| level == HealthLevel::Yellow).await;
    assert!(reason.contains("document.delete"), "{reason}");
    assert!(reason.contains("`audited schema push`"), "{reason}");
    recorder.shutdown(Duration::from_secs(5)).await;

    register(&service).await;
    let recorder = start();
    // It stays green: the flush is answered by the same loop, after the question was.
    for _ in 0..20 {
        recorder.flush(Duration::from_secs(5)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(recorder.health().level, HealthLevel::Green);
    }
    recorder.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_service_that_cannot_be_asked_is_named_and_asked_again() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let recorder = Recorder::builder(client(&format!("http://{address}"))).catalog(catalog!());
    let recorder = recorder.verify_catalog().build().unwrap();
    let reason = until(&recorder, |_, reason| reason.contains("could not be asked")).await;
    assert!(reason.contains("could not be asked"), "{reason}");
    recorder.shutdown(Duration::from_secs(1)).await;
}
