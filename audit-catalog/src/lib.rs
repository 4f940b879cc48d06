//! The audit catalog: which actions an application records, on which targets, with which metadata.
//!
//! A catalog is one file, `audit.toml`. [`Catalog::parse`] reads it, checks it, and reports every
//! mistake at once with its line and column; [`Action::wire_schema`] turns an action into the
//! schema that the service wants to know before it accepts an event. `#[audited]` uses this crate
//! while it compiles, the command line uses it to register the schemas. The crate does no I/O but
//! looking for that file, and reading it and its lock.
//!
//! ```
//! use audit_catalog::{Catalog, Kind};
//!
//! let catalog = Catalog::parse(
//!     r#"
//!     [action."document.share"]
//!     summary = "{actor} shared {targets} as {metadata.role}"
//!     targets = ["document", "user"]
//!     denied  = "document.share_denied"
//!
//!     [action."document.share".metadata]
//!     role  = "string"
//!     pages = "number?"
//!
//!     [action."document.share_denied"]
//!     targets = ["document", "user"]
//!
//!     [target.document.metadata]
//!     title = "string?"
//!
//!     [actor.metadata]
//!     role = "string?"
//!     "#,
//!     "audit.toml",
//! )?;
//!
//! let share = catalog.action("document.share").ok_or("no such action")?;
//! assert_eq!(share.metadata()[1].key(), "pages");
//! assert_eq!(share.metadata()[1].kind(), Kind::Number);
//! assert!(share.metadata()[1].is_optional());
//! assert_eq!(catalog.nearest_action("document.shar"), Some("document.share"));
//! assert_eq!(share.wire_schema()["targets"][1]["type"], "user");
//!
//! let error = Catalog::parse("[action.login]\ntargets = []\ndurabel = true", "audit.toml").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "audit.toml:2:11: the action has no target type; name at least one, as in `targets = [\"document\"]`\n\
//!      audit.toml:3:1: unknown key `durabel`; did you mean `durable`?",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//!
//! | key | value | |
//! | --- | --- | --- |
//! | `[action."NAME"]` | table | one action; quote a name that holds a dot |
//! | `targets` | array of strings, at least one | the target types an event of the action may have |
//! | `summary` | string | a sentence with the placeholders `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`; `{{` is a brace |
//! | `denied` | string | the action under which a denial is recorded, instead of this one |
//! | `durable` | boolean, `false` | whether an event of the action is on disk before the operation answers |
//! | `coalesce` | `{ by = ["actor", "target", "location", "outcome"], window = "60s" }`: at least one of the four names; a whole number with `s` or `m`, from `1s` to `15m` | which events of the action stand for each other in a flood: the first goes at once, and the newest at the window's end, with their `count` |
//! | `deprecated` | string | what to write instead |
//! | `[action."NAME".metadata]` | `KEY = "string"`, `"number"` or `"boolean"`; a trailing `?` makes it optional | the metadata of the event |
//! | `[target.TYPE.metadata]` | the same | the metadata of each target of that type |
//! | `[actor.metadata]` | the same | the metadata of the actor |
//!
//! # Rules
//!
//! - Names of actions and target types are 1 or more of `a-z A-Z 0-9 . _ - :`, begin and end with a
//!   letter or digit, and hold no `..`. The service states no rule for names; these survive as one
//!   segment of its URLs.
//! - Metadata keys are 1 to 40 of `a-z A-Z 0-9 _ -`, at most 50 in one table ([service
//!   limits](https://workos.com/docs/audit-logs/metadata-schema)). The event's own metadata has
//!   room for 40, because [`RESERVED_METADATA`] is set by the framework and may not be declared.
//! - `denied` names another action of the catalog that allows the same target types, gives the
//!   metadata they share the same type, and requires no other: a denial carries what the action
//!   would have carried.
//! - `coalesce` and `durable = true` exclude each other: an event that waits is not on disk before
//!   the operation answers.
//! - `[target.TYPE]` describes a type that some action names.
//! - No two actions have the same [constant](Action::constant), such as `DOCUMENT_SHARE` of
//!   `document.share`.
//!
//! A mistake in the syntax of the file (duplicate keys are one) hides the other mistakes until it
//! is mended.
//!
//! # In an editor
//!
//! `audit.schema.json` in this crate's folder is the JSON Schema of the file. Editors with Taplo
//! (Even Better TOML) complete keys and values, and mark unknown ones, once the first line of
//! `audit.toml` names a copy of it, by path or URL:
//!
//! ```toml
//! #:schema ./audit.schema.json
//! ```
//!
//! What holds between declarations (`denied`, a `[target.TYPE]` that nobody names, placeholders) is
//! checked only when the file is read.
//!
//! # The lock
//!
//! Beside the catalog stands its lock, `audit.lock`: the schema versions that each environment was
//! given. [`Lock`] reads and writes it.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `fingerprint` | no | `Fingerprint::of_schema` and `Action::fingerprint`, by SHA-256. Off by default, since the macros, which need neither, would have to wait for its crates |
//! | `plan` | no | `Plan`: catalog, lock and the service's schemas side by side. Brings `fingerprint` |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod check;
mod coalesce;
mod constant;
mod declarations;
mod discover;
mod error;
mod fingerprint;
#[cfg(test)]
mod json_schema;
mod lock;
mod model;
mod nearest;
mod parse;
#[cfg(feature = "plan")]
mod plan;
mod read;
mod schema;

pub use coalesce::{Coalesce, CoalesceBy};
pub use discover::{CATALOG_FILE, catalog_places, lock_path};
pub use error::{CatalogError, Mistake};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use lock::{Lock, Locked};
pub use model::{
    Action, Catalog, Field, Kind, MAX_KEY_LENGTH, MAX_METADATA_KEYS, RESERVED_METADATA, Target,
};
pub use nearest::nearest;
#[cfg(feature = "plan")]
pub use plan::{ChangeKind, Plan, PlanState, PlannedAction, Remote, RemoteSchema, SchemaChange};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
