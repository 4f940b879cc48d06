//! Actions: what the service has schemas for.

use serde::Deserialize;

use super::client::WorkOs;
use super::error::Error;
use super::page::{Items, Page, PageQuery};
use super::schemas::Schema;

/// An action that the service accepts events of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Action {
    /// The name, such as `document.delete`.
    pub name: String,
    /// A version of its schema; which one is not documented.
    pub schema: Schema,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// When it was last changed, in RFC 3339.
    pub updated_at: String,
}

impl WorkOs {
    /// Lists the registered actions, one page
    /// ([WorkOS: list actions](https://workos.com/docs/audit-logs)).
    ///
    /// # Errors
    ///
    /// The service refuses the key, or does not answer.
    pub async fn list_actions(&self, page: PageQuery) -> Result<Page<Action>, Error> {
        self.get(&path(&page)).await
    }

    /// Lists all registered actions, page by page as they are asked for, newest first.
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
