//! Handlers of documents: list, create, share, download and delete.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use audit_actix::audited;
use uuid::Uuid;

use crate::service::documents::{NewDocument, Share};
use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::store::Document;
use crate::service::user::CurrentUser;

/// Lists documents. It is not audited, since it changes nothing and exposes only titles.
pub(super) async fn list(state: Data<AppState>, user: CurrentUser) -> Json<Vec<Document>> {
    Json(state.store.documents(&user))
}

/// Creates a document. Its id is known only from a successful result, whose value is `ok`.
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

/// Downloads a document. Reading is audited here, since data leaves the service. The response is
/// the number of sheets of paper for a print.
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
