//! `POST /audit_logs/exports`, `GET /audit_logs/exports/{id}`, and the file itself.
//!
//! An export is a row with its selection. Its state is derived from that row and the clock, so no
//! task has to run for it to become ready, and a restart changes nothing: `pending` for a delay
//! after its creation, then `ready` (or `error`, if a fault requested it), and `expired` after a
//! day.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body;
use crate::export::csv_body;
use crate::fault::ExportFails;
use crate::id::new_id;
use crate::response::{ApiResponse, ApiResult};
use crate::signer::Purpose;
use crate::store::{self, ExportRow};
use crate::timestamp::Timestamp;
use crate::validate::read_export;

const PREFIX: &str = "audit_log_export_";

/// The lifetime of a download URL (WorkOS API reference,
/// <https://workos.com/docs/reference/audit-logs/export>).
const URL_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The time for which an export can be downloaded before it is `expired`; the service's own time is
/// undocumented.
const EXPORT_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum ExportState {
    Pending,
    Ready,
    Error,
    Expired,
}

#[derive(Debug, Serialize)]
struct ExportObject<'a> {
    object: &'static str,
    id: &'a str,
    state: ExportState,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Returns the state at `now`, and the time it began.
fn state(export: &ExportRow, delay: Duration, now: Timestamp) -> (ExportState, Timestamp) {
    let done = export.created_at.after(delay);
    let expired = done.after(EXPORT_LIFETIME);
    if now < done {
        (ExportState::Pending, export.created_at)
    } else if export.fails {
        (ExportState::Error, done)
    } else if now < expired {
        (ExportState::Ready, done)
    } else {
        (ExportState::Expired, expired)
    }
}

/// Creates an export of the present accepted events. The response always shows `pending`.
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let form = read_export(&body).map_err(|errors| ApiResponse::bad_request(&errors))?;
    if form.range_start >= form.range_end {
        return Err(ApiResponse::invalid_date_range());
    }
    let now = app.now();
    let export = ExportRow {
        id: new_id(PREFIX, now),
        organization_id: form.organization_id,
        range_start: form.range_start,
        range_end: form.range_end,
        filters: form.filters,
        last_seq: 0,
        fails: parts.extensions.get::<ExportFails>().is_some(),
        created_at: now,
    };
    let organization = export.organization_id.clone();
    let stored = app
        .read_audit_log(move |tx| {
            if store::has_organization(tx, &export.organization_id)? {
                store::add_export(tx, export).map(Some)
            } else {
                Ok(None)
            }
        })
        .await?;
    let export = stored.ok_or_else(|| {
        ApiResponse::message(
            StatusCode::BAD_REQUEST,
            &format!("Organization not found: '{organization}'."),
        )
    })?;
    Ok(ApiResponse::created(&ExportObject {
        object: "audit_log_export",
        id: &export.id,
        state: ExportState::Pending,
        url: None,
        created_at: export.created_at,
        updated_at: export.created_at,
    }))
}

/// Returns the export in its present state, with a new URL each time it is ready.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> ApiResult {
    // A path that cannot be decoded is an unknown export too.
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let wanted = id.clone();
    let export = app
        .store
        .run(move |tx| store::find_export(tx, &wanted))
        .await?
        .ok_or_else(|| {
            ApiResponse::message(
                StatusCode::NOT_FOUND,
                &format!("Audit Log Export not found: '{id}'."),
            )
        })?;
    let now = app.now();
    let (state, updated_at) = state(&export, app.export_delay, now);
    let url = (state == ExportState::Ready).then(|| {
        let expires = now.after(URL_LIFETIME);
        let signature = app.signer.sign(Purpose::Download, &export.id, expires);
        format!(
            "{}/exports/{}.csv?expires={}&signature={signature}",
            app.hosts.base_url(&request),
            export.id,
            expires.as_millis(),
        )
    });
    Ok(ApiResponse::ok(&ExportObject {
        object: "audit_log_export",
        id: &export.id,
        state,
        url,
        created_at: export.created_at,
        updated_at,
    }))
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadLink {
    expires: i64,
    signature: String,
}

/// Sends the file. Only the signature in the link grants access; an API key is neither required nor
/// sufficient.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    link: Result<Query<DownloadLink>, QueryRejection>,
) -> Result<Response, ApiResponse> {
    let forbidden = || {
        let message =
            "The link is not valid, or it has expired; fetch the export again for a new one.";
        ApiResponse::message(StatusCode::FORBIDDEN, message)
    };
    let Path(file) = path.map_err(|_| forbidden())?;
    let id = file.strip_suffix(".csv").ok_or_else(forbidden)?.to_owned();
    let Query(link) = link.map_err(|_| forbidden())?;
    let now = app.now();
    let expires = Timestamp::from_millis(link.expires);
    if !app
        .signer
        .verify(Purpose::Download, &id, expires, &link.signature, now)
    {
        return Err(forbidden());
    }
    let export = app
        .read_audit_log(move |tx| store::find_export(tx, &id))
        .await?
        .filter(|export| state(export, app.export_delay, now).0 == ExportState::Ready)
        .ok_or_else(forbidden)?;
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}.csv\"", export.id))
        .map_err(|_| ApiResponse::internal())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        ),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, csv_body(Arc::clone(&app.store), export)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_derived_from_the_clock() {
        let mut export = ExportRow {
            id: String::new(),
            organization_id: String::new(),
            range_start: 0,
            range_end: 1,
            filters: crate::records::ExportFilters::default(),
            last_seq: 0,
            fails: false,
            created_at: Timestamp::from_millis(1_000),
        };
        let day = 24 * 60 * 60 * 1_000;
        let at = |export: &ExportRow, millis| {
            let (state, since) = state(
                export,
                Duration::from_millis(50),
                Timestamp::from_millis(millis),
            );
            (state, since.as_millis())
        };
        assert_eq!(at(&export, 1_049), (ExportState::Pending, 1_000));
        assert_eq!(at(&export, 1_050), (ExportState::Ready, 1_050));
        assert_eq!(at(&export, 1_049 + day), (ExportState::Ready, 1_050));
        assert_eq!(
            at(&export, 1_050 + day),
            (ExportState::Expired, 1_050 + day)
        );
        export.fails = true;
        assert_eq!(at(&export, 1_049), (ExportState::Pending, 1_000));
        assert_eq!(at(&export, 9 * day), (ExportState::Error, 1_050));
    }
}
