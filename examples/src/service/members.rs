//! Members: invite and remove.

use serde::{Deserialize, Serialize};

use super::error::AppError;
use super::role::Role;
use super::state::AppState;
use super::user::CurrentUser;

#[derive(Debug, Deserialize)]
pub(super) struct Invitation {
    pub(super) email: String,
    pub(super) role: Role,
}

#[derive(Debug, Serialize)]
pub(super) struct Invited {
    pub(super) id: String,
}

impl AppState {
    pub(super) async fn invite_member(
        &self,
        user: &CurrentUser,
        invitation: &Invitation,
    ) -> Result<Invited, AppError> {
        user.require_admin()?;
        let id = self
            .store
            .add_member(user, &invitation.email, invitation.role);
        self.mailer.send(&invitation.email).await;
        Ok(Invited { id })
    }

    pub(super) fn remove_member(&self, user: &CurrentUser, id: &str) -> Result<(), AppError> {
        user.require_admin()?;
        self.store.remove_member(id)
    }
}
