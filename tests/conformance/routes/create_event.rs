//! `POST /audit_logs/events`.

use audit_server::EventStatus;
use serde_json::json;

use crate::service::{Call, Response, Service, changed, event};

const PATH: &str = "/audit_logs/events";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.post(PATH, &event())
}

pub(crate) async fn stored(service: &Service) -> Response {
    let response = service.send(good(service).await).await;
    let stored = service.server.events().unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].status(), EventStatus::Accepted);
    assert_eq!(stored[0].event(), event()["event"]);
    response
}

/// 200 again for the same key with any body, and nothing is stored.
pub(crate) async fn stored_once_per_key(service: &Service) -> Response {
    let mut call = good(service).await;
    call.headers.push(("idempotency-key", "k-1".to_owned()));
    assert_eq!(service.send(call.clone()).await.status, 200);
    let other = changed(|event| event["actor"]["id"] = json!("user_2"));
    call.body = Some(other.to_string().into_bytes());
    let response = service.send(call).await;
    assert_eq!(service.server.stats().unwrap().accepted(), 1);
    response
}

/// 400 with a pointer to the value that violates the schema.
pub(crate) async fn schema_mismatch(service: &Service) -> Response {
    service.register("team.updated").await;
    let foreign = changed(|event| event["targets"][0]["type"] = json!("folder"));
    let response = service.send(service.post(PATH, &foreign)).await;
    assert!(
        response
            .text("/errors/0/instancePath")
            .starts_with("/targets/0")
    );
    response
}

pub(crate) async fn unknown_action(service: &Service) -> Response {
    let response = service.send(service.post(PATH, &event())).await;
    assert_eq!(response.text("/errors/0/instancePath"), "/action");
    response
}

pub(crate) async fn value_over_the_limit(service: &Service) -> Response {
    service.register("team.updated").await;
    let long = changed(|event| event["metadata"]["plan"] = json!("x".repeat(501)));
    let response = service.send(service.post(PATH, &long)).await;
    assert_eq!(response.text("/errors/0/instancePath"), "/metadata/plan");
    response
}

pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let mut body = event();
    body["organization_id"] = json!("org_unknown");
    let response = service.send(service.post(PATH, &body)).await;
    assert_eq!(
        response.text("/message"),
        "Organization not found: 'org_unknown'."
    );
    response
}

pub(crate) async fn missing_required_fields(service: &Service) -> Response {
    let lacking = changed(|event| {
        event["context"].as_object_mut().unwrap().clear();
        event.as_object_mut().unwrap().remove("action");
    });
    let response = service.send(service.post(PATH, &lacking)).await;
    let required = |field: &str| json!({ "code": "required", "field": field });
    assert_eq!(
        response.body["errors"],
        json!([required("event.action"), required("event.context.location")])
    );
    response
}

/// 422: the fields of an event belong inside `event`.
pub(crate) async fn flat_body(service: &Service) -> Response {
    let mut body = event();
    let fields = body["event"].take();
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.as_object_mut().unwrap().remove("event");
    let response = service.send(service.post(PATH, &body)).await;
    assert_eq!(response.text("/errors/0/field"), "event");
    response
}
