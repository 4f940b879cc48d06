//! The schemas of actions.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::client::{WorkOs, segment};
use super::error::Error;
use super::page::{Items, Page, PageQuery};

/// One version of an action's schema.
///
/// [`Serialize`] produces the service's form.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Schema {
    /// The version, from 1; an event selects one by its `version`.
    pub version: u32,
    /// The target types that events may name.
    pub targets: Vec<SchemaTarget>,
    /// The schema of actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<SchemaActor>,
    /// The schema of the event's metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonSchema>,
    /// The time of creation, in RFC 3339.
    pub created_at: String,
}

/// A target type in a schema.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SchemaTarget {
    /// The target type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The schema of the metadata of such targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonSchema>,
}

/// The actor in a schema.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SchemaActor {
    /// The schema of the actor's metadata.
    pub metadata: JsonSchema,
}

/// A JSON Schema. [`Serialize`] and [`fmt::Display`] produce its JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct JsonSchema(serde_json::Value);

impl fmt::Display for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl WorkOs {
    /// Registers a new version of an action's schema, and the action if it is new ([WorkOS: create
    /// schema](https://workos.com/docs/audit-logs/metadata-schema)).
    ///
    /// `schema` serializes to the service's form: `targets`, and optionally `actor` and `metadata`.
    /// Every call creates a version, whether it differs from the last or not.
    ///
    /// # Errors
    ///
    /// The service refuses the schema, or does not respond.
    pub async fn create_schema(
        &self,
        action: &str,
        schema: &impl Serialize,
    ) -> Result<Schema, Error> {
        self.call(Method::POST, &path(action), schema).await
    }

    /// Lists one page of the versions of an action's schema.
    ///
    /// # Errors
    ///
    /// The service does not know the action (404), or does not respond.
    pub async fn list_schemas(&self, action: &str, page: PageQuery) -> Result<Page<Schema>, Error> {
        self.get(&(path(action) + &page.query())).await
    }

    /// Returns a stream of all versions of an action's schema, newest first, fetched page by page.
    pub fn schemas(&self, action: &str) -> Items<Schema> {
        let (client, action) = (self.clone(), action.to_owned());
        Items::new(move |page| {
            let (client, action) = (client.clone(), action.clone());
            async move { client.list_schemas(&action, page).await }
        })
    }
}

/// Returns the path of an action's schemas; the name is one segment, whatever it contains.
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
