//! What goes wrong, and how it is answered.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not done. It needs nothing of the audit framework: the layer sees by the status that 401 and 403 are
/// denials.
#[derive(Debug)]
pub enum AppError {
    /// Nobody is signed in, or the password is wrong.
    Unauthorized,
    /// Somebody is signed in, and may not do this.
    Forbidden,
    /// There is no such thing in the caller's organization.
    NotFound,
    /// The request makes no sense; why.
    Invalid(&'static str),
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "sign in first: POST /sessions"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "your role does not allow this"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, why),
        };
        (status, Json(json!({ "message": message }))).into_response()
    }
}
