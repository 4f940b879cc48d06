//! Documents: list, create, share, download, delete.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use audit_actix::audited;
use uuid::Uuid;

use crate::service::documents::{NewDocument, Share};
use crate::service::store::Document;
use crate::service::{AppError, AppState, CurrentUser};

/// Not audited: it changes nothing, and says no more than that documents exist.
pub(super) async fn list(state: Data<AppState>, user: CurrentUser) -> Json<Vec<Document>> {
    Json(state.store.documents(&user))
}

/// The document's id is known only when it exists: `ok` is the value of a successful result.
#[audited(action = "document.create", target(document = ok.0.id), metadata(title = new.title))]
pub(super) async fn create(
    state: Data<AppState>,
    user: CurrentUser,
    Json(new): Json<NewDocument>,
) -> Result<(Json<Document>, StatusCode), AppError> {
    let document = state.create_document(&user, new)?;
    Ok((Json(document), StatusCode::CREATED))
}

#[audited(
    action = "document.share",
    target(document = *document),
    target(user = share.user),
    metadata(role = share.role.as_str()),
)]
pub(super) async fn share(
    state: Data<AppState>,
    user: CurrentUser,
    document: Path<Uuid>,
    Json(share): Json<Share>,
) -> Result<HttpResponse, AppError> {
    state.share_document(&user, *document, &share).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Reading is audited where it takes data out of the house. The answer says how many sheets of
/// paper it will need.
#[audited(action = "document.download", target(document = path.0))]
pub(super) async fn download(
    state: Data<AppState>,
    user: CurrentUser,
    path: Path<(Uuid, u32)>,
) -> Result<String, AppError> {
    let (document, per_sheet) = path.into_inner();
    state.download_document(&user, document, per_sheet)
}

#[audited(action = "document.delete", target(document = *document))]
pub(super) async fn delete(
    state: Data<AppState>,
    user: CurrentUser,
    document: Path<Uuid>,
) -> Result<HttpResponse, AppError> {
    state.delete_document(&user, *document)?;
    Ok(HttpResponse::NoContent().finish())
}
