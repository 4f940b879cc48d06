//! Handlers of the own account: password and second factor.

use audit_tower::audited;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::service::account::{PasswordChange, SecondFactor};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "user.change_password", target = "user.id")]
pub(super) async fn change_password(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, AppError> {
    state.change_password(&user, change)?;
    Ok(StatusCode::NO_CONTENT)
}

#[audited(action = "user.enable_mfa", target = "user.id", metadata(hardware = factor.hardware))]
pub(super) async fn enable_mfa(
    user: CurrentUser,
    Json(factor): Json<SecondFactor>,
) -> Result<StatusCode, AppError> {
    Ok(StatusCode::NO_CONTENT)
}
