//! The filters of an export.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Exact texts by kind. An event passes if it is among those of *every* kind that names any: all-of
/// between kinds, any-of within one. A kind without texts takes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportFilters {
    pub(crate) actions: BTreeSet<String>,
    pub(crate) actor_names: BTreeSet<String>,
    pub(crate) actor_ids: BTreeSet<String>,
    /// Types, not ids; one target of a named type is enough.
    pub(crate) targets: BTreeSet<String>,
}
