//! A service that keeps notes, with an audit log.

use audit_tower::{Actor, AuditLayer, Recorder, audited};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::delete;

/// Deletes a note; the note 0 never exists.
#[audited(action = "note.delete", target = "note_id", metadata(reason = "expired"))]
async fn delete_note(Path(note_id): Path<u64>) -> Result<StatusCode, StatusCode> {
    match note_id {
        0 => Err(StatusCode::NOT_FOUND),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Returns the service. The header `x-user` names the actor.
pub fn app(recorder: Recorder) -> Router {
    let audit = AuditLayer::new(recorder)
        .principal_with(|request| Some(Actor::user(request.headers.get("x-user")?.to_str().ok()?)));
    Router::new()
        .route("/notes/{note_id}", delete(delete_note))
        .layer(audit)
}
