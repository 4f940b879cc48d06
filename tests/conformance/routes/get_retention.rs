//! `GET /organizations/{id}/audit_logs_retention`.

use crate::service::{Answer, Call, Service};

pub(crate) const PATH: &str = "/organizations/org_1/audit_logs_retention";

pub(crate) async fn good(service: &Service) -> Call {
    service.get(PATH)
}

/// 200 with null where no period was set.
pub(crate) async fn not_set(service: &Service) -> Answer {
    let answer = service.send(good(service).await).await;
    assert!(answer.body["retention_period_in_days"].is_null());
    answer
}

pub(crate) async fn of_an_unknown_organization(service: &Service) -> Answer {
    let path = "/organizations/org_unknown/audit_logs_retention";
    service.send(service.get(path)).await
}
