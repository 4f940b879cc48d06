//! Promise: an event carries the schema version of its environment in `audit.lock`, and the server
//! validates it against that version.

use audit_server::{EventStatus, LocalServer};
use audit_tower::{Actor, Recorder, RecorderBuilder, catalog, record};
use serde_json::json;

use crate::support::{PATIENCE, client};

/// Starts a server on which version 1 of `document.delete` has no target type `document`.
async fn server() -> LocalServer {
    let server = LocalServer::start().unwrap();
    let client = client(server.url());
    for target in ["folder", "document"] {
        let schema = json!({ "targets": [{ "type": target }] });
        client
            .create_schema("document.delete", &schema)
            .await
            .unwrap();
    }
    server
}

async fn deliver(
    server: &LocalServer,
    set_up: impl FnOnce(RecorderBuilder) -> RecorderBuilder,
) -> Recorder {
    let recorder = set_up(Recorder::builder(client(server.url())))
        .build()
        .unwrap();
    let scope = recorder
        .scope()
        .actor(Actor::system())
        .organization("org_local");
    scope
        .run(async { record!("document.delete", target(document = 42)) })
        .await;
    recorder.shutdown(PATIENCE).await;
    recorder
}

#[tokio::test]
async fn locked_version_is_sent_and_validated() {
    let server = server().await;
    let recorder = deliver(&server, |builder| {
        builder.catalog(catalog!()).environment("test")
    })
    .await;
    assert_eq!(recorder.stats().delivered, 1);
    let events = server.events().unwrap();
    assert_eq!(events[0].event()["version"], 2);
    assert_eq!(events[0].status(), EventStatus::Accepted);
}

#[tokio::test]
async fn event_without_a_locked_version_is_validated_against_version_1() {
    let server = server().await;
    for set_up in [
        (|builder: RecorderBuilder| builder) as fn(RecorderBuilder) -> RecorderBuilder,
        |builder| builder.catalog(catalog!()),
        |builder| builder.catalog(catalog!()).environment("empty"),
    ] {
        let recorder = deliver(&server, set_up).await;
        assert_eq!(recorder.stats().dead, 1);
        assert_eq!(recorder.dead_letters()[0].event().version(), None);
    }
}

#[test]
fn environment_missing_in_the_lock_fails_the_build_of_the_recorder() {
    let builder = Recorder::builder(client("http://127.0.0.1:9")).catalog(catalog!());
    let error = builder.environment("production").build().unwrap_err();
    assert!(error.is_unknown_environment());
    assert_eq!(
        error.to_string(),
        "audit.lock has no environment `production`; it has `empty`, `test`"
    );
}
