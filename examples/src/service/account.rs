//! A member's own account: password, second factor.

use serde::Deserialize;

use super::{AppError, AppState, CurrentUser};

#[derive(Debug, Deserialize)]
pub(super) struct PasswordChange {
    pub(super) old: String,
    pub(super) new: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SecondFactor {
    /// Whether it is a security key rather than an app.
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
