//! Signing in, and who a request comes from.

use audit_tower::{Actor, OrganizationId, Principal, audited};
use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{AppError, AppState, Role};

/// The member that a request comes from.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose data they see.
    pub organization: OrganizationId,
}

/// What the audit log takes from it: this is all that connects the service's users with the audit framework.
impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(&self.id)
            .name(&self.name)
            .metadata("role", self.role.as_str())
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.organization.clone())
    }
}

impl CurrentUser {
    pub(super) fn require_admin(&self) -> Result<(), AppError> {
        if self.role == Role::Admin {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}

/// Puts the user of the session into the request's extensions.
pub(super) async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let user = header
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(|token| state.store.user_of_session(token));
    if let Some(user) = user {
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}

/// Handlers that take a `CurrentUser` are for members who are signed in.
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

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
pub(super) struct Session {
    token: String,
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    Json(credentials): Json<Credentials>,
) -> Result<(StatusCode, Json<Session>), AppError> {
    match state
        .store
        .member_by_password(&credentials.email, &credentials.password)
    {
        Some(user) => Ok((StatusCode::CREATED, Json(open_session(&state, &user)))),
        None => Err(refuse_session(
            &credentials.email,
            "wrong e-mail or password",
        )),
    }
}

/// The request has no principal yet, so the attribute names who acts. It works on functions that are not handlers, too.
#[audited(action = "user.sign_in", target = "user.id", actor = user)]
fn open_session(state: &AppState, user: &CurrentUser) -> Session {
    Session {
        token: state.store.open_session(user),
    }
}

#[audited(
    action = "user.sign_in_failed",
    target(user = email),
    metadata(reason = reason),
    actor = Actor::anonymous(),
)]
fn refuse_session(email: &str, reason: &'static str) -> AppError {
    AppError::Unauthorized
}
