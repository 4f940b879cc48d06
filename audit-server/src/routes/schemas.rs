//! `POST` and `GET /audit_logs/actions/{actionName}/schemas`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Serialize;

use super::paging::{List, Paging};
use crate::app::App;
use crate::body;
use crate::response::{ApiResponse, ApiResult};
use crate::store::{Page, SchemaRow, add_schema, list_schemas};
use crate::timestamp::Timestamp;
use crate::validate::{Definition, read_definition};

/// The prefix of a schema's cursor.
const CURSOR: &str = "als_";

/// A schema version in the API's format; it has no id.
#[derive(Debug, Serialize)]
pub(super) struct SchemaObject {
    object: &'static str,
    version: i64,
    #[serde(flatten)]
    definition: Definition,
    created_at: Timestamp,
}

impl SchemaObject {
    /// # Errors
    /// 500 if the row is corrupted; the server itself stores only valid ones.
    pub(super) fn new(row: &SchemaRow) -> Result<Self, ApiResponse> {
        let definition = serde_json::from_str(&row.definition).map_err(|error| {
            tracing::error!(%error, schema = row.id, "could not parse a stored schema");
            ApiResponse::internal()
        })?;
        Ok(Self {
            object: "audit_log_schema",
            version: row.version,
            definition,
            created_at: row.created_at,
        })
    }
}

/// Registers the next version of an action's schema, and the action if it is new. An equal schema
/// is a new version too, and an idempotency key has no effect: only the creation of events honours
/// one.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    action: Result<Path<String>, PathRejection>,
    request: Request,
) -> ApiResult {
    let action = action_name(action)?;
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let definition = read_definition(&body)
        .map_err(|error| ApiResponse::unprocessable(&format!("Invalid schema: {error}.")))?;
    let definition = serde_json::to_string(&definition).map_err(|_| ApiResponse::internal())?;
    let now = app.now();
    let row = app
        .store
        .run(move |tx| add_schema(tx, &action, definition, now))
        .await?;
    Ok(ApiResponse::created(&SchemaObject::new(&row)?))
}

/// Lists the versions of an action's schema, the newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    action: Result<Path<String>, PathRejection>,
    paging: Paging,
) -> ApiResult {
    let action = action_name(action)?;
    let request = paging.request(CURSOR)?;
    let missing = ApiResponse::message(
        StatusCode::NOT_FOUND,
        &format!("Audit Log Action not found: '{action}'."),
    );
    let page = app
        .store
        .run(move |tx| list_schemas(tx, &action, request))
        .await?
        .ok_or(missing)?;
    let items = page
        .items
        .iter()
        .map(SchemaObject::new)
        .collect::<Result<_, _>>()?;
    Ok(ApiResponse::ok(&List::page(
        Page {
            items,
            before: page.before,
            after: page.after,
        },
        CURSOR,
    )))
}

/// Returns the percent-decoded name in the path. No pattern or length is documented for it, so any
/// text that is not blank is accepted.
fn action_name(path: Result<Path<String>, PathRejection>) -> Result<String, ApiResponse> {
    match path {
        Ok(Path(name)) if !name.trim().is_empty() => Ok(name),
        Ok(_) => Err(ApiResponse::unprocessable("The action name is blank.")),
        Err(_) => Err(ApiResponse::message(
            StatusCode::BAD_REQUEST,
            "The action name in the path is not percent-encoded UTF-8.",
        )),
    }
}
