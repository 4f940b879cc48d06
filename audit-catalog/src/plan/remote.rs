//! The schemas that the service has.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::Value;

use crate::fingerprint::Fingerprint;
use crate::lock::Lock;
use crate::model::Action;

/// One version of an action's schema, as the service has it.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteSchema {
    pub(super) version: NonZeroU32,
    pub(super) schema: Value,
}

impl RemoteSchema {
    /// A version and its schema, in the form in which the service answers it.
    #[must_use]
    pub fn new(version: NonZeroU32, schema: Value) -> Self {
        Self { version, schema }
    }
}

/// The actions that the service has, and those of their versions that were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remote {
    pub(super) actions: BTreeMap<String, Vec<RemoteSchema>>,
}

impl Remote {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds versions of an action. An action of the catalog needs all that the service has, or one
    /// that [`settles`](Self::settles) it; of another action none are needed.
    pub fn insert(
        &mut self,
        action: impl Into<String>,
        versions: impl IntoIterator<Item = RemoteSchema>,
    ) {
        let known = self.actions.entry(action.into()).or_default();
        known.extend(versions);
    }

    /// Whether one version of an action says all there is to know: it is the one in the lock, and
    /// the schema is the catalog's. The other versions need not be read then.
    #[must_use]
    pub fn settles(schema: &RemoteSchema, action: &Action, lock: &Lock, environment: &str) -> bool {
        lock.version(environment, action.name()) == Some(schema.version)
            && Fingerprint::of_schema(&schema.schema) == action.fingerprint()
    }
}
