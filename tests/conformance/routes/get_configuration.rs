//! `GET /organizations/{id}/audit_log_configuration`.

use serde_json::json;

use crate::service::{Answer, Call, Service};

pub(crate) async fn good(service: &Service) -> Call {
    service.get("/organizations/org_1/audit_log_configuration")
}

/// 200 with the period that was set, and no `log_stream` where there is none.
pub(crate) async fn of_a_period(service: &Service) -> Answer {
    let body = json!({ "retention_period": "3_MONTHS" });
    let path = "/organizations/org_1/audit_logs_retention";
    assert_eq!(service.send(service.put(path, &body)).await.status, 200);
    let answer = service.send(good(service).await).await;
    assert_eq!(
        answer.body,
        json!({ "organization_id": "org_1", "retention_period_in_days": 90, "state": "active" })
    );
    answer
}

/// 200 with a number also where no period was set.
pub(crate) async fn of_no_period(service: &Service) -> Answer {
    service.send(good(service).await).await
}

pub(crate) async fn of_an_unknown_organization(service: &Service) -> Answer {
    let path = "/organizations/org_unknown/audit_log_configuration";
    service.send(service.get(path)).await
}
