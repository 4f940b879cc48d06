//! `POST /audit_logs/exports`.

use serde_json::json;

use crate::service::{Call, Response, Service, february};

const PATH: &str = "/audit_logs/exports";

pub(crate) async fn good(service: &Service) -> Call {
    service.post(PATH, &february())
}

/// 201, pending and without a url, with every documented filter.
pub(crate) async fn started(service: &Service) -> Response {
    let mut body = february();
    for filter in ["actions", "actor_names", "actor_ids", "targets", "actors"] {
        body[filter] = json!(["a", "b"]);
    }
    let response = service.send(service.post(PATH, &body)).await;
    assert_eq!(response.text("/state"), "pending");
    response
}

/// 400 with a code: the range is empty.
pub(crate) async fn empty_range(service: &Service) -> Response {
    let mut body = february();
    body["range_end"] = body["range_start"].clone();
    let response = service.send(service.post(PATH, &body)).await;
    assert_eq!(
        response.text("/code"),
        "invalid_audit_log_export_range_date"
    );
    response
}

/// 400 and not 404, as documented for this route only.
pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let mut body = february();
    body["organization_id"] = json!("org_unknown");
    let response = service.send(service.post(PATH, &body)).await;
    assert_eq!(
        response.text("/message"),
        "Organization not found: 'org_unknown'."
    );
    response
}

/// 400 and not 422, with a list of messages.
pub(crate) async fn invalid_fields(service: &Service) -> Response {
    let response = service.send(service.post(PATH, &json!({}))).await;
    assert_eq!(response.body["message"].as_array().unwrap().len(), 3);
    response
}
