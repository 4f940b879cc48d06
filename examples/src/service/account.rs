//! A member's own account: password, second factor.

use audit_tower::audited;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::{AppError, AppState, CurrentUser};

#[derive(Deserialize)]
pub(super) struct PasswordChange {
    old: String,
    new: String,
}

#[audited(action = "user.change_password", target = "user.id")]
pub(super) async fn change_password(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, AppError> {
    if change.new.len() < 12 {
        return Err(AppError::Invalid("a password has at least 12 characters"));
    }
    state.store.set_password(&user, &change.old, change.new)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct SecondFactor {
    /// Whether it is a security key rather than an app.
    hardware: bool,
}

#[audited(action = "user.enable_mfa", target = "user.id", metadata(hardware = factor.hardware))]
pub(super) async fn enable_mfa(
    user: CurrentUser,
    Json(factor): Json<SecondFactor>,
) -> Result<StatusCode, AppError> {
    Ok(StatusCode::NO_CONTENT)
}
