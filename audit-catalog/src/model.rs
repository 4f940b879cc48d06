//! The catalog as its readers see it.

use std::fmt;

use crate::coalesce::Coalesce;
use crate::constant::constant_name;
use crate::nearest::nearest;

/// The most metadata keys that the service takes in one place: event, actor and each target
/// ([metadata schema](https://workos.com/docs/audit-logs/metadata-schema)).
pub const MAX_METADATA_KEYS: usize = 50;

/// The most characters of a metadata key ([metadata
/// schema](https://workos.com/docs/audit-logs/metadata-schema)).
pub const MAX_KEY_LENGTH: usize = 40;

/// The keys of an event's metadata that the framework sets; an application may not declare them.
///
/// Every pushed schema allows them, and none requires them.
pub const RESERVED_METADATA: [(&str, Kind); 10] = [
    ("outcome", Kind::String),
    ("status", Kind::Number),
    ("request_id", Kind::String),
    ("trace_id", Kind::String),
    ("on_behalf_of", Kind::String),
    ("error", Kind::String),
    ("truncated", Kind::String),
    ("maybe_duplicate", Kind::Boolean),
    ("count", Kind::Number),
    ("first_at", Kind::String),
];

/// The actions of one application, read from its `audit.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// Sorted by name, so that look-up is a binary search and every listing is in the same order.
    pub(crate) actions: Vec<Action>,
}

impl Catalog {
    /// The action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        let index = self
            .actions
            .binary_search_by(|action| action.name().cmp(name))
            .ok()?;
        self.actions.get(index)
    }

    /// All actions, in the order of their names.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &Action> {
        self.actions.iter()
    }

    /// The action whose [constant](Action::constant) has that name.
    #[must_use]
    pub fn action_of_constant(&self, constant: &str) -> Option<&Action> {
        self.actions().find(|action| action.constant() == constant)
    }

    /// The action that was most likely meant by a name that is not in the catalog; see
    /// [`nearest`](crate::nearest()).
    #[must_use]
    pub fn nearest_action(&self, name: &str) -> Option<&str> {
        nearest(name, self.actions().map(Action::name))
    }
}

/// Something that can happen, as `[action."NAME"]` declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub(crate) name: String,
    pub(crate) summary: Option<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) denied: Option<String>,
    pub(crate) durable: bool,
    pub(crate) coalesce: Option<Coalesce>,
    pub(crate) deprecated: Option<String>,
    pub(crate) metadata: Vec<Field>,
    pub(crate) actor_metadata: Vec<Field>,
}

impl Action {
    /// The name, such as `document.share`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the constant that `catalog!` makes for the action: the name in upper case, with
    /// `_` for each character that Rust does not allow and before each upper-case letter behind a
    /// lower-case one, such as `DOCUMENT_SHARE`. A name that begins with a digit gets a `_` in
    /// front. No two actions of a catalog have the same.
    #[must_use]
    pub fn constant(&self) -> String {
        constant_name(&self.name)
    }

    /// The sentence that describes an event, with its placeholders as they were written.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// The target types an event of this action may have, at least one, in the order they were
    /// written.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The allowed target type of that name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name() == name)
    }

    /// The action under which a denial is recorded, when it is not this one.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    /// Whether an event of this action is on disk before the operation answers.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.durable
    }

    /// Which events of this action stand for each other in a flood; never together with
    /// [`is_durable`](Self::is_durable).
    #[must_use]
    pub fn coalesce(&self) -> Option<&Coalesce> {
        self.coalesce.as_ref()
    }

    /// What to write instead, when the action is deprecated.
    #[must_use]
    pub fn deprecated(&self) -> Option<&str> {
        self.deprecated.as_deref()
    }

    /// The metadata of the event that the application sets, in the order it was written; without
    /// [`RESERVED_METADATA`].
    #[must_use]
    pub fn metadata(&self) -> &[Field] {
        &self.metadata
    }

    /// The metadata field of that key; `None` also for the reserved ones.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.metadata.iter().find(|field| field.key() == key)
    }

    /// The metadata of the actor, the same for every action of a catalog.
    #[must_use]
    pub fn actor_metadata(&self) -> &[Field] {
        &self.actor_metadata
    }
}

/// A type of target, and the metadata that `[target.TYPE.metadata]` declares for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) name: String,
    pub(crate) metadata: Vec<Field>,
}

impl Target {
    /// The type, such as `document`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The metadata of a target of this type, in the order it was written.
    #[must_use]
    pub fn metadata(&self) -> &[Field] {
        &self.metadata
    }
}

/// One metadata field: its key, its kind, and whether it may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
}

impl Field {
    /// The key, 1 to [`MAX_KEY_LENGTH`] characters.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The kind of the value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the field may be left out.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }
}

/// The kind of a metadata value. The service knows no others: no null, no array, no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    String,
    /// An integer or a decimal number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl Kind {
    /// All kinds, in the order messages name them.
    pub(crate) const ALL: [Self; 3] = [Self::String, Self::Number, Self::Boolean];

    /// The word in the catalog, which is also the word of JSON Schema.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
