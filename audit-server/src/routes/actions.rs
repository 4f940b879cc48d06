//! `GET /audit_logs/actions`.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use super::paging::{List, Paging};
use super::schemas::SchemaObject;
use crate::app::App;
use crate::response::{ApiResponse, ApiResult};
use crate::store::{ActionRow, Page, list_actions};
use crate::timestamp::Timestamp;

/// The prefix of an action's cursor.
const CURSOR: &str = "ala_";

#[derive(Debug, Serialize)]
struct ActionObject {
    object: &'static str,
    name: String,
    schema: SchemaObject,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Lists the actions, each with the newest version of its schema; the version that the service
/// shows is undocumented.
pub(super) async fn list(State(app): State<Arc<App>>, paging: Paging) -> ApiResult {
    let request = paging.request(CURSOR)?;
    let page = app.store.run(move |tx| list_actions(tx, request)).await?;
    let items = page
        .items
        .into_iter()
        .map(object)
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

fn object(row: ActionRow) -> Result<ActionObject, ApiResponse> {
    Ok(ActionObject {
        object: "audit_log_action",
        name: row.name,
        schema: SchemaObject::new(&row.schema)?,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
