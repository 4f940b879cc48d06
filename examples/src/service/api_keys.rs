//! API keys: create, revoke.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::ApiKey;
use super::{AppError, AppState, CurrentUser};

#[derive(Deserialize)]
pub(super) struct NewKey {
    label: String,
}

#[derive(Serialize)]
pub(super) struct CreatedKey {
    #[serde(flatten)]
    key: ApiKey,
    /// Shown this once. It is no part of any event, since nothing is captured that is not named.
    secret: String,
}

#[audited(action = "api_key.create", target(api_key = ok.1.key.id), metadata(label = label))]
pub(super) async fn create(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(NewKey { label }): Json<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), AppError> {
    user.require_admin()?;
    let key = state.store.add_api_key(&user, label);
    Ok((
        StatusCode::CREATED,
        Json(CreatedKey {
            key,
            secret: Uuid::new_v4().to_string(),
        }),
    ))
}

#[audited(action = "api_key.revoke", target = "api_key")]
pub(super) async fn revoke(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(api_key): Path<Uuid>,
) -> Result<StatusCode, AppError> {
    user.require_admin()?;
    state.store.remove_api_key(&user, api_key)?;
    Ok(StatusCode::NO_CONTENT)
}
