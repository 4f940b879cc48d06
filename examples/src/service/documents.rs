//! Documents: create, share, download, delete.

use audit_tower::audited;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::store::Document;
use super::{AppError, AppState, CurrentUser, Role};

/// Not audited: it changes nothing, and says no more than that documents exist.
pub(super) async fn list(State(state): State<AppState>, user: CurrentUser) -> Json<Vec<Document>> {
    Json(state.store.documents(&user))
}

#[derive(Deserialize)]
pub(super) struct NewDocument {
    title: String,
    #[serde(default)]
    pages: u32,
}

/// The document's id is known only when it exists: `ok` is the value of a successful result.
#[audited(action = "document.create", target(document = ok.1.id), metadata(title = body.title))]
pub(super) async fn create(
    State(state): State<AppState>,
    user: CurrentUser,
    Json(body): Json<NewDocument>,
) -> Result<(StatusCode, Json<Document>), AppError> {
    if user.role == Role::Viewer {
        return Err(AppError::Forbidden);
    }
    if body.title.trim().is_empty() {
        return Err(AppError::Invalid("a document needs a title"));
    }
    let document = state.store.add_document(&user, body.title, body.pages);
    Ok((StatusCode::CREATED, Json(document)))
}

#[derive(Deserialize)]
pub(super) struct Share {
    user: String,
    role: Role,
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
    if !state.store.document(&user, document)?.is_writable_by(&user) {
        return Err(AppError::Forbidden);
    }
    state.mailer.send(&share.user).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Reading is audited where it takes data out of the house. The answer says how many sheets of paper it will need.
///
/// It divides by what the caller sent. That panic is left in on purpose: it leaves an event, too.
#[audited(action = "document.download", target = "document")]
pub(super) async fn download(
    State(state): State<AppState>,
    user: CurrentUser,
    Path((document, per_sheet)): Path<(Uuid, u32)>,
) -> Result<String, AppError> {
    let document = state.store.document(&user, document)?;
    let sheets = document.pages / per_sheet;
    Ok(format!("{} on {sheets} sheets\n", document.title))
}

#[audited(action = "document.delete", target = "document")]
pub(super) async fn delete(
    State(state): State<AppState>,
    user: CurrentUser,
    Path(document): Path<Uuid>,
) -> Result<StatusCode, AppError> {
    if !state.store.document(&user, document)?.is_writable_by(&user) {
        return Err(AppError::Forbidden);
    }
    state.store.remove_document(document);
    Ok(StatusCode::NO_CONTENT)
}
