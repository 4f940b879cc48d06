//! `POST /audit_logs/events`.

use audit_server::EventStatus;
use serde_json::json;

use crate::service::{Answer, Call, Service, changed, event};

const PATH: &str = "/audit_logs/events";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.post(PATH, &event())
}

pub(crate) async fn stored(service: &Service) -> Answer {
    let answer = service.send(good(service).await).await;
    let stored = service.server.events().unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].status(), EventStatus::Accepted);
    assert_eq!(stored[0].event(), event()["event"]);
    answer
}

/// 200 again for the same key, whatever the body says, and nothing is stored.
pub(crate) async fn stored_once_per_key(service: &Service) -> Answer {
    let mut call = good(service).await;
    call.headers.push(("idempotency-key", "k-1".to_owned()));
    assert_eq!(service.send(call.clone()).await.status, 200);
    let other = changed(|event| event["actor"]["id"] = json!("user_2"));
    call.body = Some(other.to_string().into_bytes());
    let answer = service.send(call).await;
    assert_eq!(service.server.stats().unwrap().accepted(), 1);
    answer
}

/// 400 with a pointer to what the schema does not know.
pub(crate) async fn refused_by_its_schema(service: &Service) -> Answer {
    service.register("team.updated").await;
    let foreign = changed(|event| event["targets"][0]["type"] = json!("folder"));
    let answer = service.send(service.post(PATH, &foreign)).await;
    assert!(
        answer
            .text("/errors/0/instancePath")
            .starts_with("/targets/0")
    );
    answer
}

pub(crate) async fn refused_for_an_unknown_action(service: &Service) -> Answer {
    let answer = service.send(service.post(PATH, &event())).await;
    assert_eq!(answer.text("/errors/0/instancePath"), "/action");
    answer
}

pub(crate) async fn refused_over_a_limit(service: &Service) -> Answer {
    service.register("team.updated").await;
    let long = changed(|event| event["metadata"]["plan"] = json!("x".repeat(501)));
    let answer = service.send(service.post(PATH, &long)).await;
    assert_eq!(answer.text("/errors/0/instancePath"), "/metadata/plan");
    answer
}

pub(crate) async fn of_an_unknown_organization(service: &Service) -> Answer {
    let mut body = event();
    body["organization_id"] = json!("org_unknown");
    let answer = service.send(service.post(PATH, &body)).await;
    assert_eq!(
        answer.text("/message"),
        "Organization not found: 'org_unknown'."
    );
    answer
}

pub(crate) async fn without_required_fields(service: &Service) -> Answer {
    let lacking = changed(|event| {
        event["context"].as_object_mut().unwrap().clear();
        event.as_object_mut().unwrap().remove("action");
    });
    let answer = service.send(service.post(PATH, &lacking)).await;
    let required = |field: &str| json!({ "code": "required", "field": field });
    assert_eq!(
        answer.body["errors"],
        json!([required("event.action"), required("event.context.location")])
    );
    answer
}

/// 422: the fields of an event belong inside `event`.
pub(crate) async fn flat(service: &Service) -> Answer {
    let mut body = event();
    let fields = body["event"].take();
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.as_object_mut().unwrap().remove("event");
    let answer = service.send(service.post(PATH, &body)).await;
    assert_eq!(answer.text("/errors/0/field"), "event");
    answer
}
