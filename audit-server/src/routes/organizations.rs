//! `GET` and `PUT /organizations/{id}/audit_logs_retention`, and
//! `GET /organizations/{id}/audit_log_configuration`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use serde_json::json;

use crate::app::App;
use crate::body;
use crate::response::{ApiResponse, ApiResult};
use crate::store;
use crate::validate::read_retention;

/// The longest period in days, which is 10 years.
const LONGEST_PERIOD: u32 = 3_650;

/// Returns the id in the path. One that cannot be decoded matches no organization.
fn id(path: Result<Path<String>, PathRejection>) -> String {
    path.map(|Path(id)| id).unwrap_or_default()
}

async fn days(app: &Arc<App>, id: String) -> Result<Option<u32>, ApiResponse> {
    let missing = ApiResponse::organization_not_found(&id);
    app.store
        .run(move |tx| store::retention(tx, &id))
        .await?
        .ok_or(missing)
}

/// Returns the period; `null` if none is set, and events are kept forever.
pub(super) async fn retention(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult {
    let days = days(&app, id(path)).await?;
    Ok(ApiResponse::ok(
        &json!({ "retention_period_in_days": days }),
    ))
}

/// Sets the period, and immediately deletes expired events.
pub(super) async fn set_retention(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let days = read_retention(&body).map_err(|error| ApiResponse::unprocessable(&error))?;
    let id = id(path);
    let missing = ApiResponse::organization_not_found(&id);
    let now = app.now();
    let known = app.store.run(move |tx| {
        let known = store::set_retention(tx, &id, days)?;
        store::enforce_retention(tx, now, None)?;
        Ok(known)
    });
    if !known.await? {
        return Err(missing);
    }
    Ok(ApiResponse::ok(
        &json!({ "retention_period_in_days": days }),
    ))
}

/// Returns the configuration, which is `active` and has no log stream for every organization.
/// Without a period it shows the longest one: unlike for the retention, the official SDKs accept
/// only a number here, not `null`.
pub(super) async fn configuration(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult {
    let id = id(path);
    let days = days(&app, id.clone()).await?;
    Ok(ApiResponse::ok(&json!({
        "organization_id": id,
        "retention_period_in_days": days.unwrap_or(LONGEST_PERIOD),
        "state": "active",
    })))
}
