//! Handlers of API keys: create and revoke.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use uuid::Uuid;

use crate::service::api_keys::{CreatedKey, NewKey};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "api_key.create", target(api_key = ok.1.key.id), metadata(label = new.label))]
pub(super) async fn create(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), AppError> {
    let created = state.create_api_key(&user, new)?;
    Ok((StatusCode::CREATED, Json(created)))
}

#[audited(action = "api_key.revoke", target = "api_key")]
pub(super) async fn revoke(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(api_key): Path<Uuid>,
) -> Result<StatusCode, AppError> {
    state.revoke_api_key(&user, api_key)?;
    Ok(StatusCode::NO_CONTENT)
}
