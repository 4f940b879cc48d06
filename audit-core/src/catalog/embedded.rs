//! The catalog and its lock, as `catalog!()` compiles them into the program.

use std::time::Duration;

use super::action::Action;

/// The catalog of the application and its lock, embedded by [`catalog!`](crate::catalog!) while the
/// crate compiles.
///
/// [`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog) reads the schema versions from it.
/// It is a few pointers to constants: nothing is read, parsed or allocated at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedCatalog {
    actions: &'static [EmbeddedAction],
    actor_metadata: &'static [EmbeddedField],
    /// Sorted by name, each with its actions sorted by name.
    environments: &'static [(&'static str, Versions)],
}

/// The schema versions of one environment: names of actions, sorted, and versions from 1.
pub(crate) type Versions = &'static [(&'static str, u32)];

impl EmbeddedCatalog {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        actions: &'static [EmbeddedAction],
        actor_metadata: &'static [EmbeddedField],
        environments: &'static [(&'static str, Versions)],
    ) -> Self {
        Self {
            actions,
            actor_metadata,
            environments,
        }
    }

    /// Returns all actions, sorted by name.
    #[must_use]
    pub const fn actions(&self) -> &'static [EmbeddedAction] {
        self.actions
    }

    /// Returns the action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&'static EmbeddedAction> {
        let by_name = |action: &EmbeddedAction| action.name.as_str().cmp(name);
        let index = self.actions.binary_search_by(by_name).ok()?;
        self.actions.get(index)
    }

    /// Returns the metadata fields of actors, the same for every action.
    #[must_use]
    pub const fn actor_metadata(&self) -> &'static [EmbeddedField] {
        self.actor_metadata
    }

    /// Returns the names of the environments in the lock, sorted; none without a lock.
    pub fn environments(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.environments.iter().map(|(name, _)| *name)
    }

    /// Returns the schema version of an action in an environment, as the lock has it.
    #[must_use]
    pub fn version(&self, environment: &str, action: &str) -> Option<u32> {
        version(self.versions(environment)?, action)
    }

    pub(crate) fn versions(&self, environment: &str) -> Option<Versions> {
        let mut environments = self.environments.iter();
        environments
            .find(|(name, _)| *name == environment)
            .map(|(_, versions)| *versions)
    }
}

pub(crate) fn version(versions: Versions, action: &str) -> Option<u32> {
    let index = versions
        .binary_search_by(|(name, _)| (*name).cmp(action))
        .ok()?;
    versions.get(index).map(|(_, version)| *version)
}

/// An action of an [`EmbeddedCatalog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedAction {
    name: Action,
    summary: Option<&'static str>,
    targets: &'static [EmbeddedTarget],
    denied: Option<&'static str>,
    durable: bool,
    coalesce: Option<EmbeddedCoalesce>,
    deprecated: Option<&'static str>,
    metadata: &'static [EmbeddedField],
}

impl EmbeddedAction {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        summary: Option<&'static str>,
        targets: &'static [EmbeddedTarget],
        denied: Option<&'static str>,
        durable: bool,
        deprecated: Option<&'static str>,
        metadata: &'static [EmbeddedField],
    ) -> Self {
        Self {
            name: Action::checked(name),
            summary,
            targets,
            denied,
            durable,
            coalesce: None,
            deprecated,
            metadata,
        }
    }

    /// Returns the coalescing rule of this action; never together with
    /// [`is_durable`](Self::is_durable).
    #[doc(hidden)]
    #[must_use]
    pub const fn coalesced(self, coalesce: EmbeddedCoalesce) -> Self {
        Self {
            coalesce: Some(coalesce),
            ..self
        }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> Action {
        self.name
    }

    /// Returns the sentence that describes an event, with its placeholders.
    #[must_use]
    pub const fn summary(&self) -> Option<&'static str> {
        self.summary
    }

    /// Returns the target types that an event may have, in the order of the catalog.
    #[must_use]
    pub const fn targets(&self) -> &'static [EmbeddedTarget] {
        self.targets
    }

    /// Returns the action under which a denial is recorded, if it is another one.
    #[must_use]
    pub const fn denied(&self) -> Option<Action> {
        match self.denied {
            Some(name) => Some(Action::checked(name)),
            None => None,
        }
    }

    /// Returns `true` if an event of this action is on disk before the operation answers.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.durable
    }

    /// Returns the coalescing rule of this action; never together with
    /// [`is_durable`](Self::is_durable).
    #[must_use]
    pub const fn coalesce(&self) -> Option<EmbeddedCoalesce> {
        self.coalesce
    }

    /// Returns the replacement, if the action is deprecated.
    #[must_use]
    pub const fn deprecated(&self) -> Option<&'static str> {
        self.deprecated
    }

    /// Returns the metadata fields that the application sets, in the order of the catalog.
    #[must_use]
    pub const fn metadata(&self) -> &'static [EmbeddedField] {
        self.metadata
    }
}

/// The coalescing rule of an [`EmbeddedAction`]: the key by which events are equal, and the window.
///
/// Events are equal if they have the same action and organization, and the same value in every part
/// that [`by`](Self::by) names. Within a window, the first of several equal events is delivered
/// immediately. The rest are replaced by one event, the newest, which is sent when the window
/// closes: its metadata has `count`, the number of events that it represents, and `first_at`, the
/// time of the first of them. If there was only one, it has neither. So the counts of a trail add
/// up to what happened, where an event without a `count` is one.
///
/// A [`Recorder`](crate::Recorder) coalesces when it has the catalog
/// ([`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog)), for up to 1,024 windows at a
/// time and a quarter of the queue's events and bytes. Beyond, events are delivered one by one, and
/// so are events that are durable, that come from the spool, or that have a `count` already. A
/// [`flush`](crate::Recorder::flush) and a [`shutdown`](crate::Recorder::shutdown) close all
/// windows at once. Held events are in memory, so a process that is killed loses those after the
/// first event of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedCoalesce {
    by: &'static [CoalesceBy],
    window: Duration,
}

impl EmbeddedCoalesce {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(by: &'static [CoalesceBy], seconds: u64) -> Self {
        Self {
            by,
            window: Duration::from_secs(seconds),
        }
    }

    /// Returns the parts by which events are equal, in the order of the catalog.
    #[must_use]
    pub const fn by(&self) -> &'static [CoalesceBy] {
        self.by
    }

    /// Returns the time from the first event to the replacement: 1 s to 15 min.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }
}

/// A part of an event by which equal events are recognised; see [`EmbeddedCoalesce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoalesceBy {
    /// The actor, by type and id.
    Actor,
    /// All targets of the event, by type and id.
    Target,
    /// The location of the event's context, such as a client address.
    Location,
    /// The outcome.
    Outcome,
}

/// A target type of an [`EmbeddedAction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedTarget {
    name: &'static str,
    metadata: &'static [EmbeddedField],
}

impl EmbeddedTarget {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, metadata: &'static [EmbeddedField]) -> Self {
        Self { name, metadata }
    }

    /// Returns the type, such as `document`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the metadata fields of a target of this type, in the order of the catalog.
    #[must_use]
    pub const fn metadata(&self) -> &'static [EmbeddedField] {
        self.metadata
    }
}

/// A metadata field of an [`EmbeddedCatalog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedField {
    key: &'static str,
    kind: FieldKind,
    optional: bool,
}

impl EmbeddedField {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(key: &'static str, kind: FieldKind, optional: bool) -> Self {
        Self {
            key,
            kind,
            optional,
        }
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// Returns the kind of the value.
    #[must_use]
    pub const fn kind(&self) -> FieldKind {
        self.kind
    }

    /// Returns `true` if the field may be left out.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.optional
    }
}

/// The kind of a metadata value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text; `string` in the catalog.
    // Not named `String`: the compiler would then print `std::string::String` in its messages.
    Text,
    /// An integer or a decimal number.
    Number,
    /// `true` or `false`.
    Boolean,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: EmbeddedCatalog = EmbeddedCatalog::new(
        &[],
        &[],
        &[
            ("production", &[("a", 3), ("b.c", 1), ("d", 2)]),
            ("staging", &[]),
        ],
    );

    #[test]
    fn each_environment_has_its_own_versions() {
        assert_eq!(CATALOG.version("production", "a"), Some(3));
        assert_eq!(CATALOG.version("production", "d"), Some(2));
        assert_eq!(CATALOG.version("production", "b"), None);
        assert_eq!(CATALOG.version("staging", "a"), None);
        assert_eq!(CATALOG.version("nowhere", "a"), None);
        assert_eq!(
            CATALOG.environments().collect::<Vec<_>>(),
            ["production", "staging"]
        );
    }
}
