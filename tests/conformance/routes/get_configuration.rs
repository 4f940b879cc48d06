//! `GET /organizations/{id}/audit_log_configuration`.

use serde_json::json;

use crate::service::{Call, Response, Service};

pub(crate) async fn good(service: &Service) -> Call {
    service.get("/organizations/org_1/audit_log_configuration")
}

/// 200 with the retention period, and without `log_stream` if there is none.
pub(crate) async fn with_retention_period(service: &Service) -> Response {
    let body = json!({ "retention_period": "3_MONTHS" });
    let path = "/organizations/org_1/audit_logs_retention";
    assert_eq!(service.send(service.put(path, &body)).await.status, 200);
    let response = service.send(good(service).await).await;
    assert_eq!(
        response.body,
        json!({ "organization_id": "org_1", "retention_period_in_days": 90, "state": "active" })
    );
    response
}

/// 200 with a number even if no period was set.
pub(crate) async fn without_retention_period(service: &Service) -> Response {
    service.send(good(service).await).await
}

pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let path = "/organizations/org_unknown/audit_log_configuration";
    service.send(service.get(path)).await
}
