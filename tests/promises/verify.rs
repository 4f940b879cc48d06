//! Promise: a service whose catalog is not registered reports it in its health before its first
//! event is rejected.

use std::time::Duration;

use audit_server::{Fault, LocalServer};
use audit_tower::{HealthState, Recorder, catalog};

use crate::support::{PATIENCE, client, register};

/// Waits until health satisfies `wanted`; returns its reason.
async fn until(recorder: &Recorder, wanted: impl Fn(HealthState, &str) -> bool) -> String {
    let looked = async {
        loop {
            let health = recorder.health();
            let reason = health.reason.unwrap_or_default();
            if wanted(health.state, &reason) {
                return reason;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.unwrap()
}

/// Starts a recorder that verifies the catalog.
fn start(service: &audit_tower::WorkOs) -> Recorder {
    let recorder = Recorder::builder(service.clone()).catalog(catalog!());
    recorder.verify_catalog().build().unwrap()
}

#[tokio::test]
async fn unregistered_action_is_named_in_health() {
    let server = LocalServer::start().unwrap();
    let service = client(server.url());
    let recorder = start(&service);
    let reason = until(&recorder, |level, _| level == HealthState::Degraded).await;
    assert!(reason.contains("document.delete"), "{reason}");
    assert!(reason.contains("`audited schema push`"), "{reason}");
    recorder.shutdown(PATIENCE).await;
}

#[tokio::test]
async fn failed_catalog_verification_is_reported_in_health() {
    let server = LocalServer::start().unwrap();
    let service = client(server.url());
    register(&service).await;
    // The client makes three attempts by itself.
    server.inject(
        Fault::status(503)
            .on("GET", "/audit_logs/actions*")
            .times(3),
    );
    let recorder = start(&service);
    until(&recorder, |_, reason| reason.contains("could not be asked")).await;
    recorder.shutdown(Duration::from_secs(1)).await;
}
