//! Handlers of API keys: create and revoke.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use audit_actix::audited;
use uuid::Uuid;

use crate::service::api_keys::{CreatedKey, NewKey};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

#[audited(action = "api_key.create", target(api_key = ok.0.key.id), metadata(label = new.label))]
pub(super) async fn create(
    state: Data<AppState>,
    user: CurrentUser,
    Json(new): Json<NewKey>,
) -> Result<(Json<CreatedKey>, StatusCode), AppError> {
    let created = state.create_api_key(&user, new)?;
    Ok((Json(created), StatusCode::CREATED))
}

#[audited(action = "api_key.revoke", target(api_key = *api_key))]
pub(super) async fn revoke(
    state: Data<AppState>,
    user: CurrentUser,
    api_key: Path<Uuid>,
) -> Result<HttpResponse, AppError> {
    state.revoke_api_key(&user, *api_key)?;
    Ok(HttpResponse::NoContent().finish())
}
