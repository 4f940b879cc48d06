//! The registered actions.

use serde::Deserialize;

use super::client::WorkOs;
use super::error::Error;
use super::page::{Items, Page, PageQuery};
use super::schemas::Schema;

/// An action for which the service accepts events.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Action {
    /// The name, such as `document.delete`.
    pub name: String,
    /// A version of its schema; the documentation does not state which.
    pub schema: Schema,
    /// The time of creation, in RFC 3339.
    pub created_at: String,
    /// The time of the last change, in RFC 3339.
    pub updated_at: String,
}

impl WorkOs {
    /// Lists one page of the registered actions ([WorkOS: list
    /// actions](https://workos.com/docs/audit-logs)).
    ///
    /// # Errors
    ///
    /// The service refuses the key, or does not respond.
    pub async fn list_actions(&self, page: PageQuery) -> Result<Page<Action>, Error> {
        self.get(&path(&page)).await
    }

    /// Returns a stream of all registered actions, newest first, fetched page by page.
    ///
    /// ```no_run
    /// # async fn example(workos: audit_core::WorkOs) -> Result<(), audit_core::workos::Error> {
    /// let mut actions = workos.actions();
    /// while let Some(action) = actions.try_next().await? {
    ///     println!("{} v{}", action.name, action.schema.version);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn actions(&self) -> Items<Action> {
        let client = self.clone();
        Items::new(move |page| {
            let client = client.clone();
            async move { client.list_actions(page).await }
        })
    }
}

pub(super) fn path(page: &PageQuery) -> String {
    format!("/audit_logs/actions{}", page.query())
}
