//! Documents: create, share, download and delete.

use serde::Deserialize;
use uuid::Uuid;

use super::error::AppError;
use super::role::Role;
use super::state::AppState;
use super::store::Document;
use super::user::CurrentUser;

#[derive(Debug, Deserialize)]
pub(super) struct NewDocument {
    pub(super) title: String,
    #[serde(default)]
    pub(super) pages: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Share {
    pub(super) user: String,
    pub(super) role: Role,
}

impl AppState {
    pub(super) fn create_document(
        &self,
        user: &CurrentUser,
        new: NewDocument,
    ) -> Result<Document, AppError> {
        if user.role == Role::Viewer {
            return Err(AppError::Forbidden);
        }
        if new.title.trim().is_empty() {
            return Err(AppError::Invalid("a document needs a title"));
        }
        Ok(self.store.add_document(user, new.title, new.pages))
    }

    pub(super) async fn share_document(
        &self,
        user: &CurrentUser,
        document: Uuid,
        share: &Share,
    ) -> Result<(), AppError> {
        self.require_writable(user, document)?;
        self.mailer.send(&share.user).await;
        Ok(())
    }

    /// Returns the title of a document, and the number of sheets of paper for a print.
    ///
    /// It panics if the client sends 0 pages per sheet, on purpose: the event is `panicked`.
    pub(super) fn download_document(
        &self,
        user: &CurrentUser,
        document: Uuid,
        per_sheet: u32,
    ) -> Result<String, AppError> {
        let document = self.store.document(user, document)?;
        let sheets = document.pages / per_sheet;
        Ok(format!("{} on {sheets} sheets\n", document.title))
    }

    pub(super) fn delete_document(
        &self,
        user: &CurrentUser,
        document: Uuid,
    ) -> Result<(), AppError> {
        self.require_writable(user, document)?;
        self.store.remove_document(document);
        Ok(())
    }

    /// Returns an error unless the user may change the document.
    fn require_writable(&self, user: &CurrentUser, document: Uuid) -> Result<(), AppError> {
        if self.store.document(user, document)?.is_writable_by(user) {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}
