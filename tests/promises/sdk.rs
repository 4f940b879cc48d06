//! Promise: the official SDK works with the local server as with the service.

use audit_server::{EventStatus, LocalServer};
use serde_json::{Value, json};
use workos::audit_logs::{CreateEventParams, CreateSchemaParams};
use workos::{Client, Error, RequestOptions};

use crate::support::server;

fn sdk(server: &LocalServer, key: &str) -> Client {
    Client::builder()
        .api_key(key)
        .base_url(server.url())
        .build()
}

fn body() -> Value {
    json!({
        "organization_id": "org_local",
        "event": {
            "action": "document.delete",
            "occurred_at": "2026-11-22T10:00:00.000Z",
            "actor": { "id": "u1", "type": "user", "name": "Ada" },
            "targets": [{ "id": "42", "type": "document" }],
            "context": { "location": "203.0.113.7", "user_agent": "curl/8" },
            "metadata": { "outcome": "succeeded" }
        }
    })
}

fn params(body: Value) -> CreateEventParams {
    CreateEventParams::new(serde_json::from_value(body).unwrap())
}

#[tokio::test]
async fn sdk_event_is_accepted_and_stored() {
    let server = server().await;
    let response = sdk(&server, server.api_key())
        .audit_logs()
        .create_event(params(body()))
        .await
        .unwrap();
    assert!(response.success);
    let stored = server.events().unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].status(), EventStatus::Accepted);
    assert_eq!(stored[0].event(), body()["event"]);
    assert_eq!(stored[0].organization_id(), Some("org_local"));
}

#[tokio::test]
async fn events_with_one_idempotency_key_are_stored_once() {
    let server = server().await;
    let client = sdk(&server, server.api_key());
    let options = RequestOptions::new().idempotency_key("key-1");
    for _ in 0..2 {
        let response = client
            .audit_logs()
            .create_event_with_options(params(body()), Some(&options))
            .await;
        assert!(response.unwrap().success);
    }
    let another = RequestOptions::new().idempotency_key("key-2");
    client
        .audit_logs()
        .create_event_with_options(params(body()), Some(&another))
        .await
        .unwrap();
    assert_eq!(server.events().unwrap().len(), 2);
    assert_eq!(server.stats().unwrap().duplicates(), 1);
}

#[tokio::test]
async fn sdk_schemas_are_versioned_and_enforced() {
    let server = LocalServer::start().unwrap();
    let client = sdk(&server, server.api_key());
    let schema = |target: &str| {
        let body = json!({
            "targets": [{ "type": target }],
            "metadata": { "type": "object", "properties": { "outcome": { "type": "string" } } }
        });
        CreateSchemaParams::new(serde_json::from_value(body).unwrap())
    };
    let first = client
        .audit_logs()
        .create_schema("document.delete", schema("document"))
        .await
        .unwrap();
    let second = client
        .audit_logs()
        .create_schema("document.delete", schema("folder"))
        .await
        .unwrap();
    assert_eq!((first.version, second.version), (1, 2));

    client
        .audit_logs()
        .create_event(params(body()))
        .await
        .unwrap();
    let mut newer = body();
    newer["event"]["version"] = json!(2);
    let refused = client
        .audit_logs()
        .create_event(params(newer))
        .await
        .unwrap_err();
    assert_eq!(
        status(&refused),
        400,
        "version 2 has no target type `document`"
    );
}

#[tokio::test]
async fn sdk_receives_the_documented_errors() {
    let server = server().await;
    let client = sdk(&server, server.api_key());
    let refused = async |change: fn(&mut Value)| {
        let mut body = body();
        change(&mut body);
        status(
            &client
                .audit_logs()
                .create_event(params(body))
                .await
                .unwrap_err(),
        )
    };
    assert_eq!(
        refused(|body| body["event"]["action"] = json!("document.burn")).await,
        400
    );
    assert_eq!(
        refused(|body| body["event"]["targets"][0]["type"] = json!("folder")).await,
        400
    );
    assert_eq!(
        refused(|body| body["event"]["targets"] = json!([])).await,
        400
    );
    assert_eq!(
        refused(|body| body["organization_id"] = json!("org_unknown")).await,
        404
    );
    assert_eq!(
        refused(|body| body["event"]["occurred_at"] = json!("yesterday")).await,
        422
    );

    let unauthorized = sdk(&server, "sk_test_wrong")
        .audit_logs()
        .create_event(params(body()))
        .await;
    assert_eq!(status(&unauthorized.unwrap_err()), 401);
}

/// Requests that the SDK's types do not allow.
#[tokio::test]
async fn malformed_requests_receive_the_documented_bodies() {
    let server = server().await;
    let http = reqwest::Client::new();
    let send = async |body: Value| {
        let request = http
            .post(format!("{}/audit_logs/events", server.url()))
            .bearer_auth(server.api_key());
        let response = request.json(&body).send().await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    let without = |pointer: &str, field: &str| {
        let mut body = body();
        body.pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(field);
        body
    };
    let required = |field: &str| {
        (
            422,
            json!({ "message": "Validation failed.", "errors": [{ "code": "required", "field": field }] }),
        )
    };
    assert_eq!(
        send(without("", "organization_id")).await,
        required("organization_id")
    );
    assert_eq!(
        send(without("/event", "action")).await,
        required("event.action")
    );
    assert_eq!(
        send(without("/event", "context")).await,
        required("event.context")
    );
    assert_eq!(
        send(without("/event/context", "location")).await,
        required("event.context.location")
    );
    assert_eq!(
        send(without("/event/actor", "id")).await,
        required("event.actor.id")
    );

    let mut foreign = body();
    foreign["event"]["targets"][0]["type"] = json!("folder");
    let (status, response) = send(foreign).await;
    assert_eq!(status, 400);
    assert_eq!(response["message"], "Invalid Audit Log event.");
    assert_eq!(response["code"], "invalid_audit_log_event");
    assert!(
        response["errors"][0]["instancePath"]
            .as_str()
            .unwrap()
            .starts_with("/targets"),
        "{response}"
    );

    let mut strange = body();
    strange["organization_id"] = json!("org_unknown");
    assert_eq!(
        send(strange).await,
        (
            404,
            json!({ "message": "Organization not found: 'org_unknown'." })
        )
    );

    let keyless = http
        .post(format!("{}/audit_logs/events", server.url()))
        .json(&body())
        .send()
        .await
        .unwrap();
    assert_eq!(keyless.status(), 401);
    assert_eq!(
        keyless.json::<Value>().await.unwrap(),
        json!({ "message": "Unauthorized" })
    );
    assert!(
        server
            .events()
            .unwrap()
            .iter()
            .all(|event| event.status() == EventStatus::Rejected)
    );
}

fn status(error: &Error) -> u16 {
    match error {
        Error::Api(error) => error.status,
        other => panic!("no response from the server: {other}"),
    }
}
