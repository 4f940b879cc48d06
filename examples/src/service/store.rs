//! The data: members, sessions, documents and API keys, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use uuid::Uuid;

use super::error::AppError;
use super::role::Role;
use super::user::CurrentUser;

/// A document.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document {
    /// The id.
    pub(super) id: Uuid,
    /// The title.
    pub(super) title: String,
    /// The length, in pages.
    pub(super) pages: u32,
    #[serde(skip)]
    owner: String,
    #[serde(skip)]
    organization: String,
}

impl Document {
    /// Returns `true` if a user may change the document.
    pub(super) fn is_writable_by(&self, user: &CurrentUser) -> bool {
        user.role == Role::Admin || (user.role == Role::Member && self.owner == user.id)
    }
}

/// An API key. The secret is returned once and not stored.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ApiKey {
    /// The id.
    pub(super) id: Uuid,
    /// The purpose.
    pub(super) label: String,
    #[serde(skip)]
    organization: String,
}

/// The store. Clones share the data.
#[derive(Clone, Debug)]
pub struct Store {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    /// Members by e-mail, with their password. A real service stores a hash.
    members: HashMap<String, (CurrentUser, String)>,
    sessions: HashMap<String, CurrentUser>,
    documents: HashMap<Uuid, Document>,
    api_keys: HashMap<Uuid, ApiKey>,
}

impl Store {
    /// Creates a store with three members of an organization: `ada@acme.test` (admin),
    /// `ben@acme.test` (member) and `vic@acme.test` (viewer), all with the password
    /// `correct horse`.
    #[must_use]
    pub fn with_members(organization: &str) -> Self {
        let mut tables = Tables::default();
        for (id, name, role) in [
            ("ada", "Ada Lovelace", Role::Admin),
            ("ben", "Ben Okri", Role::Member),
            ("vic", "Vic Mensah", Role::Viewer),
        ] {
            let user = CurrentUser {
                id: format!("user_{id}"),
                name: name.to_owned(),
                role,
                organization: organization.into(),
            };
            tables.members.insert(
                format!("{id}@acme.test"),
                (user, "correct horse".to_owned()),
            );
        }
        Self {
            tables: Arc::new(Mutex::new(tables)),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn member_by_password(&self, email: &str, password: &str) -> Option<CurrentUser> {
        let tables = self.tables();
        let (user, known) = tables.members.get(email)?;
        (known == password).then(|| user.clone())
    }

    pub(super) fn open_session(&self, user: &CurrentUser) -> String {
        let token = Uuid::new_v4().to_string();
        self.tables().sessions.insert(token.clone(), user.clone());
        token
    }

    pub(super) fn user_of_session(&self, token: &str) -> Option<CurrentUser> {
        self.tables().sessions.get(token).cloned()
    }

    pub(super) fn set_password(
        &self,
        user: &CurrentUser,
        old: &str,
        new: String,
    ) -> Result<(), AppError> {
        let mut tables = self.tables();
        let member = tables
            .members
            .values_mut()
            .find(|(member, _)| member.id == user.id);
        let (_, password) = member.ok_or(AppError::NotFound)?;
        if password.as_str() != old {
            return Err(AppError::Forbidden);
        }
        *password = new;
        Ok(())
    }

    pub(super) fn add_member(&self, by: &CurrentUser, email: &str, role: Role) -> String {
        let id = format!("user_{}", Uuid::new_v4().simple());
        let user = CurrentUser {
            id: id.clone(),
            name: email.to_owned(),
            role,
            organization: by.organization.clone(),
        };
        // With a random password, the member cannot sign in before accepting the invitation.
        self.tables()
            .members
            .insert(email.to_owned(), (user, Uuid::new_v4().to_string()));
        id
    }

    pub(super) fn remove_member(&self, id: &str) -> Result<(), AppError> {
        let mut tables = self.tables();
        let email = tables
            .members
            .iter()
            .find(|(_, (user, _))| user.id == id)
            .map(|(email, _)| email.clone());
        let email = email.ok_or(AppError::NotFound)?;
        tables.members.remove(&email);
        tables.sessions.retain(|_, user| user.id != id);
        Ok(())
    }

    pub(super) fn add_document(&self, by: &CurrentUser, title: String, pages: u32) -> Document {
        let document = Document {
            id: Uuid::new_v4(),
            title,
            pages,
            owner: by.id.clone(),
            organization: by.organization.to_string(),
        };
        self.tables()
            .documents
            .insert(document.id, document.clone());
        document
    }

    pub(super) fn document(&self, user: &CurrentUser, id: Uuid) -> Result<Document, AppError> {
        let tables = self.tables();
        let document = tables
            .documents
            .get(&id)
            .filter(|document| document.organization == user.organization.as_str());
        document.cloned().ok_or(AppError::NotFound)
    }

    pub(super) fn documents(&self, user: &CurrentUser) -> Vec<Document> {
        let tables = self.tables();
        let own = |document: &&Document| document.organization == user.organization.as_str();
        tables.documents.values().filter(own).cloned().collect()
    }

    pub(super) fn remove_document(&self, id: Uuid) {
        self.tables().documents.remove(&id);
    }

    pub(super) fn add_api_key(&self, by: &CurrentUser, label: String) -> ApiKey {
        let key = ApiKey {
            id: Uuid::new_v4(),
            label,
            organization: by.organization.to_string(),
        };
        self.tables().api_keys.insert(key.id, key.clone());
        key
    }

    pub(super) fn remove_api_key(&self, by: &CurrentUser, id: Uuid) -> Result<(), AppError> {
        let mut tables = self.tables();
        let own = tables
            .api_keys
            .get(&id)
            .is_some_and(|key| key.organization == by.organization.as_str());
        if !own {
            return Err(AppError::NotFound);
        }
        tables.api_keys.remove(&id);
        Ok(())
    }
}
