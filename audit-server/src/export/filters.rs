//! Which events of a range an export takes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::sheet::Trail;

/// Exact texts by kind. An event passes if it is among those of *every* kind that names any: all-of
/// between kinds, any-of within one. A kind without texts takes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filters {
    pub(crate) actions: BTreeSet<String>,
    pub(crate) actor_names: BTreeSet<String>,
    pub(crate) actor_ids: BTreeSet<String>,
    /// Types, not ids; one target of a named type is enough.
    pub(crate) targets: BTreeSet<String>,
}

impl Filters {
    pub(super) fn take(&self, event: &Trail) -> bool {
        let one = |wanted: &BTreeSet<String>, text: Option<&str>| {
            wanted.is_empty() || text.is_some_and(|text| wanted.contains(text))
        };
        one(&self.actions, Some(&event.action))
            && one(&self.actor_names, event.actor_name.as_deref())
            && one(&self.actor_ids, Some(&event.actor_id))
            && (self.targets.is_empty()
                || event
                    .target_types
                    .iter()
                    .any(|kind| self.targets.contains(kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(filters: serde_json::Value) -> bool {
        let event = Trail::read(
            r#"{"action":"a","occurred_at":"","actor":{"id":"1","type":"user","name":"Jo"},"targets":[{"id":"t","type":"team"},{"id":"u","type":"user"}],"context":{"location":"x"}}"#,
        )
        .unwrap();
        let mut all = serde_json::to_value(Filters::default()).unwrap();
        for (kind, texts) in filters.as_object().unwrap() {
            all[kind] = texts.clone();
        }
        serde_json::from_value::<Filters>(all).unwrap().take(&event)
    }

    #[test]
    fn one_text_of_each_named_kind_has_to_fit() {
        let json = |text| serde_json::from_str(text).unwrap();
        for taken in [
            r#"{}"#,
            r#"{"actions":["a","b"]}"#,
            r#"{"actor_names":["Jo"],"actor_ids":["1"]}"#,
            r#"{"targets":["user"],"actions":["a"]}"#,
        ] {
            assert!(takes(json(taken)), "{taken}");
        }
        for left in [
            r#"{"actions":["b"]}"#,
            r#"{"actions":["a"],"actor_names":["jo"]}"#,
            r#"{"actor_ids":["2"],"actor_names":["Jo"]}"#,
            r#"{"targets":["t"]}"#,
            r#"{"actions":["*"]}"#,
        ] {
            assert!(!takes(json(left)), "{left}");
        }
    }
}
