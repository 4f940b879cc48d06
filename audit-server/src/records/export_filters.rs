//! The filters of an export.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Exact values by kind of filter.
///
/// An event passes if it matches *every* kind that has values: all-of between kinds, any-of within
/// one. A kind without values matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportFilters {
    pub(crate) actions: BTreeSet<String>,
    pub(crate) actor_names: BTreeSet<String>,
    pub(crate) actor_ids: BTreeSet<String>,
    /// Types, not ids; one target of a listed type is enough.
    pub(crate) targets: BTreeSet<String>,
}
