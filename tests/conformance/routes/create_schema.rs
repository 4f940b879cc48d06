//! `POST /audit_logs/actions/{actionName}/schemas`.

use serde_json::{Value, json};

use crate::service::{Call, Response, Service};

const PATH: &str = "/audit_logs/actions/team.updated/schemas";

fn schema() -> Value {
    json!({
        "targets": [{ "type": "team", "metadata": { "type": "object", "properties": { "cost": { "type": "number" } } } }],
        "actor": { "metadata": { "type": "object", "properties": { "role": { "type": "string" } } } },
        "metadata": { "type": "object", "properties": { "plan": { "type": "string" } } }
    })
}

pub(crate) async fn good(service: &Service) -> Call {
    service.post(PATH, &schema())
}

/// 201 with the sent schema, and the next version each time.
pub(crate) async fn registered(service: &Service) -> Response {
    let first = service.send(good(service).await).await;
    assert_eq!(first.body["version"], 1);
    let response = service.send(good(service).await).await;
    assert_eq!(response.body["version"], 2);
    for key in ["targets", "actor", "metadata"] {
        assert_eq!(response.body[key], schema()[key]);
    }
    response
}

/// 201 without `actor` and `metadata` where none were sent, for a name that needs encoding.
pub(crate) async fn registered_with_targets_only(service: &Service) -> Response {
    let path = "/audit_logs/actions/team%2Fupdated%20now/schemas";
    let body = json!({ "targets": [{ "type": "team" }] });
    let response = service.send(service.post(path, &body)).await;
    let keys: Vec<_> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["created_at", "object", "targets", "version"]);
    let actions = service.send(service.get("/audit_logs/actions")).await;
    assert_eq!(actions.text("/data/0/name"), "team/updated now");
    response
}

pub(crate) async fn missing_targets(service: &Service) -> Response {
    for body in [json!({}), json!({ "targets": [{}] })] {
        assert_eq!(service.send(service.post(PATH, &body)).await.status, 422);
    }
    let body = json!({ "targets": [] });
    service.send(service.post(PATH, &body)).await
}

/// 422: an `actor` requires `metadata`.
pub(crate) async fn actor_without_metadata(service: &Service) -> Response {
    let body = json!({ "targets": [{ "type": "team" }], "actor": {} });
    service.send(service.post(PATH, &body)).await
}
