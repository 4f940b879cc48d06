//! Handlers of documents: list, create, share, download and delete.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use uuid::Uuid;

use crate::service::documents::{NewDocument, Share};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::store::Document;
use crate::service::user::CurrentUser;

/// Lists documents. It is not audited, since it changes nothing and exposes only titles.
pub(super) async fn list(State(state): State<AppState>, user: CurrentUser) -> Json<Vec<Document>> {
    Json(state.store.documents(&user))
}

/// Creates a document. Its id is known only from a successful result, whose value is `ok`.
#[audited(action = "document.create", target(document = ok.1.id), metadata(title = new.title))]
pub(super) async fn create(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(new): Json<NewDocument>,
) -> Result<(StatusCode, Json<Document>), AppError> {
    let document = state.create_document(&user, new)?;
    Ok((StatusCode::CREATED, Json(document)))
}

#[audited(
    action = "document.share",
    target(document = document),
    target(user = share.user),
    metadata(role = share.role.as_str()),
)]
pub(super) async fn share(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(document): Path<Uuid>,
    Json(share): Json<Share>,
) -> Result<StatusCode, AppError> {
    state.share_document(&user, document, &share).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Downloads a document. Reading is audited here, since data leaves the service. The response is
/// the number of sheets of paper for a print.
#[audited(action = "document.download", target = "document")]
pub(super) async fn download(
    State(state): State<AppState>,
    user: CurrentUser,
    Path((document, per_sheet)): Path<(Uuid, u32)>,
) -> Result<String, AppError> {
    state.download_document(&user, document, per_sheet)
}

#[audited(action = "document.delete", target = "document")]
pub(super) async fn delete(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(document): Path<Uuid>,
) -> Result<StatusCode, AppError> {
    state.delete_document(&user, document)?;
    Ok(StatusCode::NO_CONTENT)
}
