//! Handlers of members: invite and remove.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::service::error::AppError;
use crate::service::members::{Invitation, Invited};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "member.invite", target(user = invitation.email), metadata(role = invitation.role.as_str()))]
pub(super) async fn invite(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(invitation): Json<Invitation>,
) -> Result<(StatusCode, Json<Invited>), AppError> {
    let invited = state.invite_member(&user, &invitation).await?;
    Ok((StatusCode::CREATED, Json(invited)))
}

#[audited(action = "member.remove", target = "member")]
pub(super) async fn remove(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(member): Path<String>,
) -> Result<StatusCode, AppError> {
    state.remove_member(&user, &member)?;
    Ok(StatusCode::NO_CONTENT)
}
