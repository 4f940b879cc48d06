//! A small service, tested with the test kit. One of its routes records no event on purpose.

use audit_tower::{Actor, AuditLayer, Recorder, audited, unaudited, web::OnUnaudited};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};

/// The routes of the router below.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/documents"),
    ("DELETE", "/documents/{doc_id}"),
    ("POST", "/documents/{doc_id}/archive"),
    ("POST", "/search"),
];

async fn list() -> &'static str {
    "plan"
}

#[audited(action = "document.delete", target = "doc_id")]
async fn delete_document(Path(doc_id): Path<u64>) -> Result<StatusCode, StatusCode> {
    match doc_id {
        0 => Err(StatusCode::NOT_FOUND),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// The handler without an audit event.
async fn archive(Path(_): Path<u64>) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[unaudited(reason = "a search changes nothing")]
async fn search() -> &'static str {
    "plan"
}

/// Returns the service. The header `x-user` names the actor.
pub fn app(recorder: Recorder, on_unaudited: OnUnaudited) -> Router {
    let layer = AuditLayer::new(recorder)
        .principal_with(|request| {
            let user = request.headers.get("x-user")?.to_str().ok()?;
            Some(Actor::user(user))
        })
        .on_unaudited(on_unaudited);
    Router::new()
        .route("/documents", get(list))
        .route("/documents/{doc_id}", delete(delete_document))
        .route("/documents/{doc_id}/archive", post(archive))
        .route("/search", post(search))
        .layer(layer)
}
