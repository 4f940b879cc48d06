//! The own account of a member: password and second factor.

use serde::Deserialize;

use super::error::AppError;
use super::state::AppState;
use super::user::CurrentUser;

#[derive(Debug, Deserialize)]
pub(super) struct PasswordChange {
    pub(super) old: String,
    pub(super) new: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SecondFactor {
    /// `true` for a security key, `false` for an app.
    pub(super) hardware: bool,
}

impl AppState {
    pub(super) fn change_password(
        &self,
        user: &CurrentUser,
        change: PasswordChange,
    ) -> Result<(), AppError> {
        if change.new.len() < 12 {
            return Err(AppError::Invalid("a password has at least 12 characters"));
        }
        self.store.set_password(user, &change.old, change.new)
    }
}
