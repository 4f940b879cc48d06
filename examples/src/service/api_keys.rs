//! API keys: create and revoke.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::AppError;
use super::state::AppState;
use super::store::ApiKey;
use super::user::CurrentUser;

#[derive(Debug, Deserialize)]
pub(super) struct NewKey {
    pub(super) label: String,
}

#[derive(Serialize)]
pub(super) struct CreatedKey {
    #[serde(flatten)]
    pub(super) key: ApiKey,
    /// Returned only here. It is in no event, since only values that an attribute names are
    /// recorded.
    pub(super) secret: String,
}

impl AppState {
    pub(super) fn create_api_key(
        &self,
        user: &CurrentUser,
        new: NewKey,
    ) -> Result<CreatedKey, AppError> {
        user.require_admin()?;
        Ok(CreatedKey {
            key: self.store.add_api_key(user, new.label),
            secret: Uuid::new_v4().to_string(),
        })
    }

    pub(super) fn revoke_api_key(&self, user: &CurrentUser, id: Uuid) -> Result<(), AppError> {
        user.require_admin()?;
        self.store.remove_api_key(user, id)
    }
}
