//! The catalog and its lock, as `catalog!()` writes them into the program.

use std::time::Duration;

use super::action::Action;

/// The catalog of the application and its lock, embedded by [`catalog!`](crate::catalog!) while the
/// crate compiled.
///
/// [`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog) takes the schema versions from it.
/// It is a few pointers to constants: nothing is read, parsed or allocated at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedCatalog {
    actions: &'static [EmbeddedAction],
    actor_metadata: &'static [EmbeddedField],
    /// Sorted by name, and in each the actions by theirs.
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

    /// All actions, sorted by name.
    #[must_use]
    pub const fn actions(&self) -> &'static [EmbeddedAction] {
        self.actions
    }

    /// The action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&'static EmbeddedAction> {
        let by_name = |action: &EmbeddedAction| action.name.as_str().cmp(name);
        let index = self.actions.binary_search_by(by_name).ok()?;
        self.actions.get(index)
    }

    /// The metadata of actors, the same for every action.
    #[must_use]
    pub const fn actor_metadata(&self) -> &'static [EmbeddedField] {
        self.actor_metadata
    }

    /// The names of the environments that the lock has, sorted; none without a lock.
    pub fn environments(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.environments.iter().map(|(name, _)| *name)
    }

    /// The version of an action's schema in an environment, as the lock has it.
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

    #[doc(hidden)]
    #[must_use]
    pub const fn coalesced(self, coalesce: EmbeddedCoalesce) -> Self {
        Self {
            coalesce: Some(coalesce),
            ..self
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> Action {
        self.name
    }

    /// The sentence that describes an event, with its placeholders as they were written.
    #[must_use]
    pub const fn summary(&self) -> Option<&'static str> {
        self.summary
    }

    /// The target types that an event may have, in the order they were written.
    #[must_use]
    pub const fn targets(&self) -> &'static [EmbeddedTarget] {
        self.targets
    }

    /// The action under which a denial is recorded, when it is not this one.
    #[must_use]
    pub const fn denied(&self) -> Option<Action> {
        match self.denied {
            Some(name) => Some(Action::checked(name)),
            None => None,
        }
    }

    /// Whether an event of this action is on disk before the operation answers.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.durable
    }

    /// Which events of this action stand for each other in a flood; never together with
    /// [`is_durable`](Self::is_durable).
    #[must_use]
    pub const fn coalesce(&self) -> Option<EmbeddedCoalesce> {
        self.coalesce
    }

    /// What to write instead, when the action is deprecated.
    #[must_use]
    pub const fn deprecated(&self) -> Option<&'static str> {
        self.deprecated
    }

    /// The metadata of the event that the application sets, in the order it was written.
    #[must_use]
    pub const fn metadata(&self) -> &'static [EmbeddedField] {
        self.metadata
    }
}

/// Which events of an [`EmbeddedAction`] stand for each other in a flood, and for how long.
///
/// Events are alike if they have the same action and organization, and the same value in everything
/// that [`by`](Self::by) names. Of alike events within a window the first is delivered at once. One
/// more, the newest, follows at the window's end in the place of all others: its metadata has
/// `count`, how many it stands for, and `first_at`, when the first of those began. If there was
/// only one, it has neither. So the counts of a trail add up to what happened, where an event
/// without a `count` is one.
///
/// A [`Recorder`](crate::Recorder) does this when it has the catalog
/// ([`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog)), for up to 1,024 windows at a
/// time and a quarter of the queue's events and bytes; beyond, events go singly, and so do events
/// that are durable, that come from the spool, or that have a `count` already. A
/// [`flush`](crate::Recorder::flush) and a [`shutdown`](crate::Recorder::shutdown) do not wait for
/// windows: what is held then goes at once. What is held is in memory, so a process that is killed
/// loses what came after the first event of each window.
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

    /// What alike events have in common besides action and organization, in the order it was
    /// written.
    #[must_use]
    pub const fn by(&self) -> &'static [CoalesceBy] {
        self.by
    }

    /// From the first event to the one at the end: 1 s to 15 min.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }
}

/// A part of an event by which alike events are known, see [`EmbeddedCoalesce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoalesceBy {
    /// Who did it, by type and id.
    Actor,
    /// On what it was done: all targets of the event, by type and id.
    Target,
    /// The place of the event's context, such as a client address.
    Location,
    /// How it ended.
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

    /// The type, such as `document`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The metadata of a target of this type, in the order it was written.
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

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The kind of the value.
    #[must_use]
    pub const fn kind(&self) -> FieldKind {
        self.kind
    }

    /// Whether the field may be left out.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.optional
    }
}

/// The kind of a metadata value, as the catalog names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text; `string` in the catalog.
    // Not named `String`: the compiler would then write `std::string::String` in every message to a
    // user.
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
