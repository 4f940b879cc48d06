//! Sign-in, and the user of a request.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::service::error::AppError;
use crate::service::sessions::{Credentials, Session};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Inserts the user of the session into the request's extensions.
pub(super) async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let user = header.and_then(|header| state.authenticate(header));
    if let Some(user) = user {
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}

/// Extracts the user. A request without one is rejected with 401.
impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(AppError::Unauthorized)
    }
}

/// Signs a member in. The called functions are audited, since the request has no user yet.
pub(super) async fn sign_in(
    State(state): State<AppState>,
    Json(credentials): Json<Credentials>,
) -> Result<(StatusCode, Json<Session>), AppError> {
    Ok((StatusCode::CREATED, Json(state.sign_in(&credentials)?)))
}
