//! Members: invite, remove.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{AppError, AppState, CurrentUser, Role};

#[derive(Deserialize)]
pub(super) struct Invitation {
    email: String,
    role: Role,
}

#[derive(Serialize)]
pub(super) struct Invited {
    id: String,
}

#[audited(action = "member.invite", target(user = invitation.email), metadata(role = invitation.role.as_str()))]
pub(super) async fn invite(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(invitation): Json<Invitation>,
) -> Result<(StatusCode, Json<Invited>), AppError> {
    user.require_admin()?;
    let id = state
        .store
        .add_member(&user, &invitation.email, invitation.role);
    state.mailer.send(&invitation.email).await;
    Ok((StatusCode::CREATED, Json(Invited { id })))
}

#[audited(action = "member.remove", target = "member")]
pub(super) async fn remove(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(member): Path<String>,
) -> Result<StatusCode, AppError> {
    user.require_admin()?;
    state.store.remove_member(&member)?;
    Ok(StatusCode::NO_CONTENT)
}
