//! Sign-in and sessions.

use audit_core::{Actor, audited};
use serde::{Deserialize, Serialize};

use super::error::AppError;
use super::state::AppState;
use super::user::CurrentUser;

#[derive(Deserialize)]
pub(super) struct Credentials {
    pub(super) email: String,
    pub(super) password: String,
}

#[derive(Serialize)]
pub(super) struct Session {
    pub(super) token: String,
}

impl AppState {
    pub(super) fn sign_in(&self, credentials: &Credentials) -> Result<Session, AppError> {
        match self
            .store
            .member_by_password(&credentials.email, &credentials.password)
        {
            Some(user) => Ok(open_session(self, &user)),
            None => Err(deny_session(&credentials.email, "wrong e-mail or password")),
        }
    }

    /// Returns the user of a request with this `Authorization` header.
    pub(super) fn authenticate(&self, authorization: &str) -> Option<CurrentUser> {
        self.store
            .user_of_session(authorization.strip_prefix("Bearer ")?)
    }
}

/// Opens a session. The request has no principal yet, so the attribute names the actor.
///
/// The attribute works on any function, not only on handlers.
#[audited(action = "user.sign_in", target = "user.id", actor = user)]
fn open_session(state: &AppState, user: &CurrentUser) -> Session {
    Session {
        token: state.store.open_session(user),
    }
}

/// Records a failed sign-in. The outcome is `denied`, since the response is 401.
#[audited(
    action = "user.sign_in_failed",
    target(user = email),
    metadata(reason = reason),
    actor = Actor::anonymous(),
)]
fn deny_session(email: &str, reason: &'static str) -> AppError {
    AppError::Unauthorized
}
