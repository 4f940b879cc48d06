//! The checked catalog: actions, target types, metadata fields, and their limits.

use std::fmt;

use crate::coalesce::Coalesce;
use crate::constant::constant_name;
use crate::nearest::nearest;

/// The maximum number of metadata keys of an event, an actor, or a target
/// ([metadata schema](https://workos.com/docs/audit-logs/metadata-schema)).
pub const MAX_METADATA_KEYS: usize = 50;

/// The maximum length of a metadata key, in characters ([metadata
/// schema](https://workos.com/docs/audit-logs/metadata-schema)).
pub const MAX_KEY_LENGTH: usize = 40;

/// The keys of an event's metadata that the framework sets; an application cannot declare them.
///
/// Every registered schema allows them, and none requires them.
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
    /// Sorted by name, so that a lookup is a binary search and the order is always the same.
    pub(crate) actions: Vec<Action>,
}

impl Catalog {
    /// Returns the action with this name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        let index = self
            .actions
            .binary_search_by(|action| action.name().cmp(name))
            .ok()?;
        self.actions.get(index)
    }

    /// Returns all actions, sorted by name.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &Action> {
        self.actions.iter()
    }

    /// Returns the action whose [constant](Action::constant) has this name.
    #[must_use]
    pub fn action_of_constant(&self, constant: &str) -> Option<&Action> {
        self.actions().find(|action| action.constant() == constant)
    }

    /// Returns the action name most similar to an unknown name; see [`nearest`](crate::nearest()).
    #[must_use]
    pub fn nearest_action(&self, name: &str) -> Option<&str> {
        nearest(name, self.actions().map(Action::name))
    }
}

/// One action, declared as `[action."NAME"]`.
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
    /// Returns the name, such as `document.share`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the constant that `catalog!` generates for the action.
    ///
    /// It is the action's name in upper case, such as `DOCUMENT_SHARE`. A `_` replaces each
    /// character that Rust does not allow, and is inserted before an upper-case letter that follows
    /// a lower-case one, and before a leading digit. It is unique in a catalog.
    #[must_use]
    pub fn constant(&self) -> String {
        constant_name(&self.name)
    }

    /// Returns the sentence that describes an event, with its placeholders unexpanded.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// Returns the target types of the action's events: at least one, in the order of the file.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Returns the allowed target type with this name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name() == name)
    }

    /// Returns the action under which a denial is recorded, if it is another one.
    #[must_use]
    pub fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    /// Returns `true` if an event of this action is on disk before the operation returns.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.durable
    }

    /// Returns the coalescing rule; never set together with [`is_durable`](Self::is_durable).
    #[must_use]
    pub fn coalesce(&self) -> Option<&Coalesce> {
        self.coalesce.as_ref()
    }

    /// Returns the note with the replacement, if the action is deprecated.
    #[must_use]
    pub fn deprecated(&self) -> Option<&str> {
        self.deprecated.as_deref()
    }

    /// Returns the declared metadata of the event, in the order of the file.
    ///
    /// [`RESERVED_METADATA`] is not included.
    #[must_use]
    pub fn metadata(&self) -> &[Field] {
        &self.metadata
    }

    /// Returns the metadata field with this key; `None` for reserved keys too.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.metadata.iter().find(|field| field.key() == key)
    }

    /// Returns the metadata of the actor, which is the same for every action of a catalog.
    #[must_use]
    pub fn actor_metadata(&self) -> &[Field] {
        &self.actor_metadata
    }
}

/// A target type with its metadata, declared as `[target.TYPE.metadata]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) name: String,
    pub(crate) metadata: Vec<Field>,
}

impl Target {
    /// Returns the type, such as `document`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the metadata of a target of this type, in the order of the file.
    #[must_use]
    pub fn metadata(&self) -> &[Field] {
        &self.metadata
    }
}

/// One metadata field: its key, its kind, and its optionality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
}

impl Field {
    /// Returns the key, 1 to [`MAX_KEY_LENGTH`] characters.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the kind of the value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns `true` if the field may be omitted.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }
}

/// The kind of a metadata value.
///
/// The service accepts no others: no null, no array, no object.
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
    /// All kinds, in the order of messages.
    pub(crate) const ALL: [Self; 3] = [Self::String, Self::Number, Self::Boolean];

    /// Returns the kind's name in the catalog, which JSON Schema uses too.
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
