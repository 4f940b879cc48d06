//! Schemas: what the service accepts as events of an action.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::client::{WorkOs, segment};
use super::error::Error;
use super::page::{Items, Page, PageQuery};

/// One version of an action's schema, as the service has it. [`Serialize`] gives it in the
/// service's form.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Schema {
    /// Counts up from 1; an event chooses one by its `version`.
    pub version: u32,
    /// The target types that events may name.
    pub targets: Vec<SchemaTarget>,
    /// What is said of actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<SchemaActor>,
    /// What is said of the event's metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonSchema>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

/// A target type in a schema.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SchemaTarget {
    /// The target type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is said of the metadata of such targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonSchema>,
}

/// The actor in a schema.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SchemaActor {
    /// What is said of actors' metadata.
    pub metadata: JsonSchema,
}

/// A JSON Schema, as the service has it. [`Serialize`] and [`fmt::Display`] give its JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct JsonSchema(serde_json::Value);

impl fmt::Display for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl WorkOs {
    /// Registers a new version of an action's schema, and the action if it is new
    /// ([WorkOS: create schema](https://workos.com/docs/audit-logs/metadata-schema)).
    ///
    /// `schema` serializes to the service's form: `targets`, and optionally `actor` and `metadata`.
    /// Every call makes a version, whether it differs from the last or not.
    ///
    /// # Errors
    ///
    /// The service refuses it, or does not answer.
    pub async fn create_schema(
        &self,
        action: &str,
        schema: &impl Serialize,
    ) -> Result<Schema, Error> {
        self.call(Method::POST, &path(action), schema).await
    }

    /// Lists the versions of an action's schema, one page.
    ///
    /// # Errors
    ///
    /// The service does not know the action (404), or does not answer.
    pub async fn list_schemas(&self, action: &str, page: PageQuery) -> Result<Page<Schema>, Error> {
        self.get(&(path(action) + &page.query())).await
    }

    /// Lists all versions of an action's schema, page by page as they are asked for, newest first.
    pub fn schemas(&self, action: &str) -> Items<Schema> {
        let (client, action) = (self.clone(), action.to_owned());
        Items::new(move |page| {
            let (client, action) = (client.clone(), action.clone());
            async move { client.list_schemas(&action, page).await }
        })
    }
}

/// The action's name is one segment, whatever it contains.
fn path(action: &str) -> String {
    format!("/audit_logs/actions/{}/schemas", segment(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_one_segment_of_the_path() {
        assert_eq!(
            path("document.delete"),
            "/audit_logs/actions/document.delete/schemas"
        );
        assert_eq!(path("a/b c"), "/audit_logs/actions/a%2Fb%20c/schemas");
    }
}
