//! API keys: create, revoke.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::ApiKey;
use super::{AppError, AppState, CurrentUser};

#[derive(Debug, Deserialize)]
pub(super) struct NewKey {
    pub(super) label: String,
}

#[derive(Serialize)]
pub(super) struct CreatedKey {
    #[serde(flatten)]
    pub(super) key: ApiKey,
    /// Shown this once. It is no part of any event, since nothing is captured that is not named.
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
