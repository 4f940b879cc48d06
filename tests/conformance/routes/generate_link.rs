//! `POST /portal/generate_link`.

use serde_json::{Value, json};

use crate::service::{Call, Response, Service, event};

const PATH: &str = "/portal/generate_link";

pub(crate) async fn good(service: &Service) -> Call {
    let body = json!({ "organization": "org_1", "intent": "audit_logs" });
    service.post(PATH, &body)
}

/// 201 with a link that shows the events of its organization only.
pub(crate) async fn linked(service: &Service) -> Response {
    service.register("team.updated").await;
    // The other organization's event is first, so that a stream that leaks it does so before the
    // awaited event.
    for organization in ["org_2", "org_1"] {
        let mut body = event();
        body["organization_id"] = json!(organization);
        let call = service.post("/audit_logs/events", &body);
        assert_eq!(service.send(call).await.status, 200);
    }
    let response = service.send(good(service).await).await;
    let visitor = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let opened = visitor.get(response.text("/link")).send().await.unwrap();
    assert_eq!(opened.status(), 303);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let read = async |query: &str| {
        let url = format!("{}/portal/events{query}", service.server.url());
        let request = visitor.get(url).header("cookie", cookie);
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let rows = body["data"].as_array().unwrap().clone();
        rows.into_iter()
            .map(|row| row["organization_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(read("").await, ["org_1"]);
    assert_eq!(read("?organization=org_2").await, ["org_1"]);
    let stream = format!("{}/portal/stream?after=0", service.server.url());
    let stream = visitor.get(stream).header("cookie", cookie);
    let mut stream = stream.send().await.unwrap();
    let mut received = String::new();
    while !received.contains("org_1") {
        let chunk = stream.chunk().await.unwrap().unwrap();
        received.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(!received.contains("org_2"), "{received}");
    let without = visitor.get(format!("{}/portal/events", service.server.url()));
    assert_eq!(without.send().await.unwrap().status(), 403);
    response
}

/// 201 with the other supported intent, and with every optional field.
pub(crate) async fn linked_with_every_field(service: &Service) -> Response {
    let body = json!({
        "organization": "org_1", "intent": "log_streams", "return_url": "https://app.example",
        "success_url": "https://app.example/done", "it_contact_emails": vec!["it@app.example"; 20],
        "external_user_id": "u1"
    });
    service.send(service.post(PATH, &body)).await
}

/// 201 without an intent, since only the organization is required.
pub(crate) async fn linked_without_an_intent(service: &Service) -> Response {
    let body = json!({ "organization": "org_1" });
    service.send(service.post(PATH, &body)).await
}

/// 400 for an intent without a local page.
pub(crate) async fn unsupported_intent(service: &Service) -> Response {
    let body = json!({ "organization": "org_1", "intent": "sso" });
    service.send(service.post(PATH, &body)).await
}

pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let body = json!({ "organization": "org_unknown", "intent": "audit_logs" });
    service.send(service.post(PATH, &body)).await
}

pub(crate) async fn invalid_fields(service: &Service) -> Response {
    for body in [
        json!({ "intent": "audit_logs" }),
        json!({ "organization": "org_1", "intent": "audit_log" }),
        json!({ "organization": "org_1", "intent": "audit_logs", "it_contact_emails": vec!["a"; 21] }),
    ] {
        assert_eq!(service.send(service.post(PATH, &body)).await.status, 422);
    }
    service.send(service.post(PATH, &json!({}))).await
}
