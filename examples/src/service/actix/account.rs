//! Handlers of the own account: password and second factor.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use audit_actix::audited;

use crate::service::account::{PasswordChange, SecondFactor};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "user.change_password", target = "user.id")]
pub(super) async fn change_password(
    state: Data<AppState>,
    user: CurrentUser,
    Json(change): Json<PasswordChange>,
) -> Result<HttpResponse, AppError> {
    state.change_password(&user, change)?;
    Ok(HttpResponse::NoContent().finish())
}

#[audited(action = "user.enable_mfa", target = "user.id", metadata(hardware = factor.hardware))]
pub(super) async fn enable_mfa(
    user: CurrentUser,
    Json(factor): Json<SecondFactor>,
) -> Result<HttpResponse, AppError> {
    Ok(HttpResponse::NoContent().finish())
}
