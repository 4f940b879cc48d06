//! Matching of events against the filters of an export.

use std::collections::BTreeSet;

use super::exported_event::ExportedEvent;
use crate::records::ExportFilters;

/// Returns `true` if the event passes every filter.
pub(super) fn matches(filters: &ExportFilters, event: &ExportedEvent) -> bool {
    let any = |wanted: &BTreeSet<String>, text: Option<&str>| {
        wanted.is_empty() || text.is_some_and(|text| wanted.contains(text))
    };
    any(&filters.actions, Some(&event.action))
        && any(&filters.actor_names, event.actor_name.as_deref())
        && any(&filters.actor_ids, Some(&event.actor_id))
        && (filters.targets.is_empty()
            || event
                .target_types
                .iter()
                .any(|kind| filters.targets.contains(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filters: serde_json::Value) -> bool {
        let event = ExportedEvent::read(
            r#"{"action":"a","occurred_at":"","actor":{"id":"1","type":"user","name":"Jo"},"targets":[{"id":"t","type":"team"},{"id":"u","type":"user"}],"context":{"location":"x"}}"#,
        )
        .unwrap();
        let mut all = serde_json::to_value(ExportFilters::default()).unwrap();
        for (kind, values) in filters.as_object().unwrap() {
            all[kind] = values.clone();
        }
        matches(&serde_json::from_value(all).unwrap(), &event)
    }

    #[test]
    fn event_has_to_match_every_kind_of_filter() {
        let json = |text| serde_json::from_str(text).unwrap();
        for matching in [
            r#"{}"#,
            r#"{"actions":["a","b"]}"#,
            r#"{"actor_names":["Jo"],"actor_ids":["1"]}"#,
            r#"{"targets":["user"],"actions":["a"]}"#,
        ] {
            assert!(passes(json(matching)), "{matching}");
        }
        for other in [
            r#"{"actions":["b"]}"#,
            r#"{"actions":["a"],"actor_names":["jo"]}"#,
            r#"{"actor_ids":["2"],"actor_names":["Jo"]}"#,
            r#"{"targets":["t"]}"#,
            r#"{"actions":["*"]}"#,
        ] {
            assert!(!passes(json(other)), "{other}");
        }
    }
}
