//! Handlers of members: invite and remove.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use audit_actix::audited;

use crate::service::error::AppError;
use crate::service::members::{Invitation, Invited};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "member.invite", target(user = invitation.email), metadata(role = invitation.role.as_str()))]
pub(super) async fn invite(
    state: Data<AppState>,
    user: CurrentUser,
    Json(invitation): Json<Invitation>,
) -> Result<(Json<Invited>, StatusCode), AppError> {
    let invited = state.invite_member(&user, &invitation).await?;
    Ok((Json(invited), StatusCode::CREATED))
}

#[audited(action = "member.remove", target(user = *member))]
pub(super) async fn remove(
    state: Data<AppState>,
    user: CurrentUser,
    member: Path<String>,
) -> Result<HttpResponse, AppError> {
    state.remove_member(&user, &member)?;
    Ok(HttpResponse::NoContent().finish())
}
