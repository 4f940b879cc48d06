//! `GET /organizations/{id}/audit_logs_retention`.

use crate::service::{Call, Response, Service};

pub(crate) const PATH: &str = "/organizations/org_1/audit_logs_retention";

pub(crate) async fn good(service: &Service) -> Call {
    service.get(PATH)
}

/// 200 with null if no period was set.
pub(crate) async fn not_set(service: &Service) -> Response {
    let response = service.send(good(service).await).await;
    assert!(response.body["retention_period_in_days"].is_null());
    response
}

pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let path = "/organizations/org_unknown/audit_logs_retention";
    service.send(service.get(path)).await
}
