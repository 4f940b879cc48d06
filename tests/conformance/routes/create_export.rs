//! `POST /audit_logs/exports`.

use serde_json::json;

use crate::service::{Answer, Call, Service, february};

const PATH: &str = "/audit_logs/exports";

pub(crate) async fn good(service: &Service) -> Call {
    service.post(PATH, &february())
}

/// 201, pending and without a url, with every documented filter.
pub(crate) async fn started(service: &Service) -> Answer {
    let mut body = february();
    for filter in ["actions", "actor_names", "actor_ids", "targets", "actors"] {
        body[filter] = json!(["a", "b"]);
    }
    let answer = service.send(service.post(PATH, &body)).await;
    assert_eq!(answer.text("/state"), "pending");
    answer
}

/// 400 with a code: the range ends where it begins, or before.
pub(crate) async fn of_no_range(service: &Service) -> Answer {
    let mut body = february();
    body["range_end"] = body["range_start"].clone();
    let answer = service.send(service.post(PATH, &body)).await;
    assert_eq!(answer.text("/code"), "invalid_audit_log_export_range_date");
    answer
}

/// 400 and not 404, as documented for this route alone.
pub(crate) async fn of_an_unknown_organization(service: &Service) -> Answer {
    let mut body = february();
    body["organization_id"] = json!("org_unknown");
    let answer = service.send(service.post(PATH, &body)).await;
    assert_eq!(
        answer.text("/message"),
        "Organization not found: 'org_unknown'."
    );
    answer
}

/// 400 and not 422, with a list of messages.
pub(crate) async fn of_a_wrong_form(service: &Service) -> Answer {
    let answer = service.send(service.post(PATH, &json!({}))).await;
    assert_eq!(answer.body["message"].as_array().unwrap().len(), 3);
    answer
}
