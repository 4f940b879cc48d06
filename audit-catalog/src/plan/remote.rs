//! The schemas that the service has.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::Value;

use crate::fingerprint::Fingerprint;
use crate::lock::Lock;
use crate::model::Action;

/// One version of an action's schema on the service.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteSchema {
    pub(super) version: NonZeroU32,
    pub(super) schema: Value,
}

impl RemoteSchema {
    /// Creates a version from its number and its schema, in the form of the service's response.
    #[must_use]
    pub fn new(version: NonZeroU32, schema: Value) -> Self {
        Self { version, schema }
    }
}

/// The actions of the service, and the versions of their schemas that were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remote {
    pub(super) actions: BTreeMap<String, Vec<RemoteSchema>>,
}

impl Remote {
    /// Creates an empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds versions of an action.
    ///
    /// An action of the catalog needs all versions of the service, or one that
    /// [is in sync](Self::is_in_sync). An action outside the catalog needs none.
    pub fn insert(
        &mut self,
        action: impl Into<String>,
        versions: impl IntoIterator<Item = RemoteSchema>,
    ) {
        let known = self.actions.entry(action.into()).or_default();
        known.extend(versions);
    }

    /// Returns `true` if the version is the one in the lock and its schema is the catalog's.
    ///
    /// The other versions of the action do not have to be read then.
    #[must_use]
    pub fn is_in_sync(
        schema: &RemoteSchema,
        action: &Action,
        lock: &Lock,
        environment: &str,
    ) -> bool {
        lock.version(environment, action.name()) == Some(schema.version)
            && Fingerprint::of_schema(&schema.schema) == action.fingerprint()
    }
}
