//! Actions: what the service has schemas for.

use http::Method;
use serde::Deserialize;

use super::client::WorkOs;
use super::error::Error;
use super::page::{Page, PageQuery};
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
        let path = format!("/audit_logs/actions{}", page.query());
        self.call(self.request(Method::GET, &path, Default::default())?)
            .await
    }
}
