//! The plan: the state of each action, and what has to be done.

use std::num::NonZeroU32;

use serde_json::Value;

use super::remote::{Remote, RemoteSchema};
use super::schema_diff::{SchemaChange, changes};
use crate::fingerprint::Fingerprint;
use crate::lock::Lock;
use crate::model::{Action, Catalog};

/// The steps that bring an environment in line with a catalog.
///
/// A plan compares catalog, lock and the service's schemas.
///
/// ```
/// use audit_catalog::{Catalog, Lock, Plan, PlanState, Remote, RemoteSchema};
/// use std::num::NonZeroU32;
///
/// let text = "[action.login]\ntargets = [\"user\"]\n[action.login.metadata]\nway = \"string\"";
/// let catalog = Catalog::parse(text, "audit.toml")?;
/// let mut remote = Remote::new();
/// let registered = serde_json::json!({ "targets": [{ "type": "user" }, { "type": "team" }] });
/// remote.insert("login", [RemoteSchema::new(NonZeroU32::MIN, registered)]);
///
/// let plan = Plan::new(&catalog, &Lock::default(), "production", &remote);
/// let login = &plan.actions()[0];
/// assert_eq!(login.state(), PlanState::Changed);
/// assert_eq!(login.changes()[0].to_string(), "- target team");
/// assert!(!plan.is_in_sync());
/// # Ok::<(), audit_catalog::CatalogError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    environment: String,
    actions: Vec<PlannedAction>,
    stale: Vec<String>,
    unmanaged: Vec<String>,
}

/// The state of an action of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanState {
    /// The service has the schema, and the lock has its version.
    InSync,
    /// The service does not have the action.
    New,
    /// The service has the action, but no version with this schema; a new one has to be registered.
    Changed,
    /// The service has a version with this schema that the lock does not name; only the lock has to
    /// be updated.
    Unlocked,
}

/// An action of the catalog with its state and its differences.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedAction {
    name: String,
    state: PlanState,
    locked: Option<NonZeroU32>,
    registered: Option<NonZeroU32>,
    changes: Vec<SchemaChange>,
    schema: Value,
    fingerprint: Fingerprint,
}

impl PlannedAction {
    /// Returns the name of the action.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> PlanState {
        self.state
    }

    /// Returns the version in the lock.
    #[must_use]
    pub fn locked(&self) -> Option<NonZeroU32> {
        self.locked
    }

    /// Returns the service's version with the catalog's schema or, if there is none, its newest.
    ///
    /// `None` if the service does not have the action or was not queried.
    #[must_use]
    pub fn registered(&self) -> Option<NonZeroU32> {
        self.registered
    }

    /// Returns the differences between the service's newest version and the catalog.
    ///
    /// For a [`New`](PlanState::New) action, this is the whole schema. Empty if nothing has to be
    /// registered, or if the service was not queried.
    #[must_use]
    pub fn changes(&self) -> &[SchemaChange] {
        &self.changes
    }

    /// Returns the schema to register, from [`Action::wire_schema`].
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Returns the fingerprint to write to the lock.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns `true` if a version has to be registered.
    #[must_use]
    pub fn needs_push(&self) -> bool {
        matches!(self.state, PlanState::New | PlanState::Changed)
    }
}

impl Plan {
    /// Compares a catalog with the service's schemas and with the lock.
    #[must_use]
    pub fn new(catalog: &Catalog, lock: &Lock, environment: &str, remote: &Remote) -> Self {
        let actions = catalog.actions().map(|action| {
            let versions = remote.actions.get(action.name());
            planned(
                action,
                lock,
                environment,
                versions.map_or(&[], Vec::as_slice),
            )
        });
        let unmanaged = remote
            .actions
            .keys()
            .filter(|name| catalog.action(name).is_none());
        Self {
            environment: environment.to_owned(),
            actions: actions.collect(),
            stale: stale(catalog, lock, environment),
            unmanaged: unmanaged.cloned().collect(),
        }
    }

    /// Compares a catalog with its lock only, and assumes that the service has the locked versions.
    ///
    /// The differences are unknown, because the lock contains only fingerprints.
    #[must_use]
    pub fn offline(catalog: &Catalog, lock: &Lock, environment: &str) -> Self {
        let actions = catalog.actions().map(|action| {
            let locked = lock.get(environment, action.name());
            let fingerprint = action.fingerprint();
            let state = match locked {
                None => PlanState::New,
                Some(locked) if locked.fingerprint() == fingerprint => PlanState::InSync,
                Some(_) => PlanState::Changed,
            };
            PlannedAction {
                name: action.name().to_owned(),
                state,
                locked: locked.map(|locked| locked.version()),
                registered: None,
                changes: Vec::new(),
                schema: action.wire_schema(),
                fingerprint,
            }
        });
        Self {
            environment: environment.to_owned(),
            actions: actions.collect(),
            stale: stale(catalog, lock, environment),
            unmanaged: Vec::new(),
        }
    }

    /// Returns the environment of the lock.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Returns the actions of the catalog, sorted by name.
    #[must_use]
    pub fn actions(&self) -> &[PlannedAction] {
        &self.actions
    }

    /// Returns the actions in the lock that are not in the catalog; the next push removes them.
    #[must_use]
    pub fn stale(&self) -> &[String] {
        &self.stale
    }

    /// Returns the actions of the service that are not in the catalog.
    ///
    /// They are no drift: other programs may record them, and the service cannot delete an action.
    #[must_use]
    pub fn unmanaged(&self) -> &[String] {
        &self.unmanaged
    }

    /// Returns `true` if nothing has to be done.
    #[must_use]
    pub fn is_in_sync(&self) -> bool {
        let in_sync = |action: &PlannedAction| action.state == PlanState::InSync;
        self.actions.iter().all(in_sync) && self.stale.is_empty()
    }

    /// Applies the changes to a lock that need no request: adds versions that are registered
    /// already, and removes stale actions.
    ///
    /// Returns `true` if the lock changed.
    pub fn update_lock(&self, lock: &mut Lock) -> bool {
        let before = lock.clone();
        for action in &self.actions {
            if let (PlanState::Unlocked, Some(version)) = (action.state, action.registered) {
                lock.set(
                    &*self.environment,
                    &*action.name,
                    version,
                    action.fingerprint,
                );
            }
        }
        for name in &self.stale {
            lock.remove(&self.environment, name);
        }
        *lock != before
    }
}

fn stale(catalog: &Catalog, lock: &Lock, environment: &str) -> Vec<String> {
    let names = lock.actions(environment).map(|(name, _)| name);
    let stale = names.filter(|name| catalog.action(name).is_none());
    stale.map(str::to_owned).collect()
}

fn planned(
    action: &Action,
    lock: &Lock,
    environment: &str,
    versions: &[RemoteSchema],
) -> PlannedAction {
    let (schema, fingerprint) = (action.wire_schema(), action.fingerprint());
    let locked = lock.get(environment, action.name());
    let same = |remote: &&RemoteSchema| Fingerprint::of_schema(&remote.schema) == fingerprint;
    let newest = |remote: &&RemoteSchema| remote.version;
    // The lock's version is preferred: of two equal schemas, the older one is valid too.
    let is_locked = |remote: &&RemoteSchema| locked.is_some_and(|l| l.version() == remote.version);
    let matching = versions
        .iter()
        .filter(same)
        .find(is_locked)
        .or_else(|| versions.iter().filter(same).max_by_key(newest));
    let newest = versions.iter().max_by_key(newest);
    let (state, registered, changes) = match (matching, newest) {
        (Some(found), _) => {
            let is_locked = locked
                .is_some_and(|l| l.version() == found.version && l.fingerprint() == fingerprint);
            let state = if is_locked {
                PlanState::InSync
            } else {
                PlanState::Unlocked
            };
            (state, Some(found.version), Vec::new())
        }
        (None, Some(newest)) => (
            PlanState::Changed,
            Some(newest.version),
            changes(&newest.schema, &schema),
        ),
        (None, None) => (PlanState::New, None, changes(&Value::Null, &schema)),
    };
    PlannedAction {
        name: action.name().to_owned(),
        state,
        locked: locked.map(|locked| locked.version()),
        registered,
        changes,
        schema,
        fingerprint,
    }
}
