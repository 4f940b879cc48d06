//! `PUT /organizations/{id}/audit_logs_retention`.

use serde_json::json;

use super::get_retention::PATH;
use crate::service::{Call, Response, Service};

pub(crate) async fn good(service: &Service) -> Call {
    service.put(PATH, &json!({ "retention_period": "1_YEAR" }))
}

/// 200 for every period by its name: a month has 30 days, a year 365.
pub(crate) async fn set_by_name(service: &Service) -> Response {
    let months = (1..=11).map(|n| (format!("{n}_MONTH"), n * 30, n));
    let years = (1..=10).map(|n| (format!("{n}_YEAR"), n * 365, n));
    for (mut name, days, count) in months.chain(years) {
        if count > 1 {
            name.push('S');
        }
        let body = json!({ "retention_period": name });
        let response = service.send(service.put(PATH, &body)).await;
        assert_eq!(response.status, 200, "{name}");
        assert_eq!(response.body["retention_period_in_days"], days, "{name}");
    }
    service.send(good(service).await).await
}

/// 200 for every period by its days, the older form; it applies to its organization only.
pub(crate) async fn set_by_days(service: &Service) -> Response {
    let days = (1..=11).map(|n| n * 30).chain((1..=10).map(|n| n * 365));
    for days in days {
        let body = json!({ "retention_period_in_days": days });
        assert_eq!(service.send(service.put(PATH, &body)).await.status, 200);
        let read = service.send(service.get(PATH)).await;
        assert_eq!(read.body["retention_period_in_days"], days);
    }
    let other = service.get("/organizations/org_2/audit_logs_retention");
    let other = service.send(other).await;
    assert!(other.body["retention_period_in_days"].is_null());
    let body = json!({ "retention_period_in_days": 90 });
    service.send(service.put(PATH, &body)).await
}

pub(crate) async fn unknown_organization(service: &Service) -> Response {
    let path = "/organizations/org_unknown/audit_logs_retention";
    let body = json!({ "retention_period": "1_MONTH" });
    service.send(service.put(path, &body)).await
}

/// 422 for an unsupported period, for both forms in one request, and for neither.
pub(crate) async fn unsupported_period(service: &Service) -> Response {
    for body in [
        json!({}),
        json!({ "retention_period": "12_MONTHS" }),
        json!({ "retention_period": "1_MONTHS" }),
        json!({ "retention_period": "11_YEARS" }),
        json!({ "retention_period_in_days": 31 }),
        json!({ "retention_period_in_days": 360 }),
        json!({ "retention_period_in_days": 4015 }),
        json!({ "retention_days": 90 }),
        json!({ "retention_period": "1_MONTH", "retention_period_in_days": 30 }),
    ] {
        let response = service.send(service.put(PATH, &body)).await;
        assert_eq!(response.status, 422, "{body}");
    }
    let body = json!({ "retention_period_in_days": 0 });
    service.send(service.put(PATH, &body)).await
}
