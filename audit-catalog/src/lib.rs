//! The audit catalog: an application's actions, their target types and their metadata.
//!
//! A catalog is one file, `audit.toml`. [`Catalog::parse`] parses and checks its text, and reports
//! every mistake at once with its line and column. [`Action::wire_schema`] returns an action's
//! schema, which has to be registered with the service before it accepts an event. `#[audited]`
//! uses this crate at compile time, the command line to register schemas. The only I/O of this
//! crate is to find and read that file and its lock.
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
//! | `[action."NAME"]` | table | one action; a name with a dot is quoted |
//! | `targets` | array of strings, at least one | the target types an event of the action may have |
//! | `summary` | string | a sentence with the placeholders `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`; `{{` is a brace |
//! | `denied` | string | the action under which a denial is recorded, instead of this one |
//! | `durable` | boolean, `false` | if `true`, an event of the action is on disk before the operation returns |
//! | `coalesce` | `{ by = ["actor", "target", "location", "outcome"], window = "60s" }`: at least one of the four names; a whole number with `s` or `m`, from `1s` to `15m` | coalescing: within a window, the first of several equal events is delivered immediately; the rest are replaced by the newest one with a `count`, sent when the window closes |
//! | `deprecated` | string | the replacement, shown in a compiler warning |
//! | `[action."NAME".metadata]` | `KEY = "string"`, `"number"` or `"boolean"`; a trailing `?` makes it optional | the metadata of the event |
//! | `[target.TYPE.metadata]` | the same | the metadata of each target of that type |
//! | `[actor.metadata]` | the same | the metadata of the actor |
//!
//! # Rules
//!
//! - Names of actions and target types are 1 or more of `a-z A-Z 0-9 . _ - :`, begin and end with a
//!   letter or digit, and hold no `..`. The service documents no rule for names; such names are
//!   valid as one segment of its URLs.
//! - Metadata keys are 1 to 40 of `a-z A-Z 0-9 _ -`, at most 50 in one table ([service
//!   limits](https://workos.com/docs/audit-logs/metadata-schema)). The event's own metadata has
//!   room for 40, because [`RESERVED_METADATA`] is set by the framework and may not be declared.
//! - `denied` names another action of the catalog. That action allows the same target types, gives
//!   shared metadata the same type, and requires no other metadata, because a denial carries the
//!   data of the denied action.
//! - `coalesce` and `durable = true` exclude each other: an event that is held until its window
//!   closes is not on disk before the operation returns.
//! - `[target.TYPE]` describes a type that at least one action names.
//! - No two actions have the same [constant](Action::constant), such as `DOCUMENT_SHARE` of
//!   `document.share`.
//!
//! A syntax error (duplicate keys are one) hides all other mistakes until it is fixed.
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
//! Rules between declarations (`denied`, an unused `[target.TYPE]`, placeholders) are checked only
//! when the file is read.
//!
//! # The lock
//!
//! The lock, `audit.lock` beside the catalog, records the schema versions of each environment.
//! [`Lock`] reads and writes it.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `fingerprint` | no | `Fingerprint::of_schema` and `Action::fingerprint`, by SHA-256. Off by default, because the macros need neither and would compile later |
//! | `plan` | no | `Plan`: compares catalog, lock and the service's schemas. Enables `fingerprint` |
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
