//! An event as an export shows and filters it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The columns, in order. `actor_metadata`, `targets` and `metadata` are the JSON as sent; absent
/// values are empty.
pub(super) const COLUMNS: [&str; 11] = [
    "occurred_at",
    "action",
    "version",
    "actor_id",
    "actor_type",
    "actor_name",
    "actor_metadata",
    "targets",
    "location",
    "user_agent",
    "metadata",
];

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// An event of the audit log, as an export shows and filters it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ExportedEvent {
    pub(super) occurred_at: String,
    pub(super) action: String,
    pub(super) version: String,
    pub(super) actor_id: String,
    pub(super) actor_type: String,
    pub(super) actor_name: Option<String>,
    pub(super) actor_metadata: String,
    pub(super) targets: String,
    pub(super) target_types: Vec<String>,
    pub(super) location: String,
    pub(super) user_agent: String,
    pub(super) metadata: String,
}

impl ExportedEvent {
    /// Parses an event. An accepted event has every required field; if one is missing after all,
    /// since another program changed the file, it is left empty.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub(super) fn read(event: &str) -> serde_json::Result<Self> {
        let event: Fields<'_> = serde_json::from_str(event)?;
        let actor = object(&event, "actor");
        let context = object(&event, "context");
        let targets = event
            .get("targets")
            .and_then(|raw| serde_json::from_str::<Vec<Fields<'_>>>(raw.get()).ok())
            .unwrap_or_default();
        Ok(Self {
            occurred_at: text(&event, "occurred_at").unwrap_or_default(),
            action: text(&event, "action").unwrap_or_default(),
            version: raw(&event, "version"),
            actor_id: text(&actor, "id").unwrap_or_default(),
            actor_type: text(&actor, "type").unwrap_or_default(),
            actor_name: text(&actor, "name"),
            actor_metadata: raw(&actor, "metadata"),
            targets: raw(&event, "targets"),
            target_types: targets
                .iter()
                .filter_map(|target| text(target, "type"))
                .collect(),
            location: text(&context, "location").unwrap_or_default(),
            user_agent: text(&context, "user_agent").unwrap_or_default(),
            metadata: raw(&event, "metadata"),
        })
    }

    /// Returns the cells, in the order of [`COLUMNS`].
    pub(super) fn cells(&self) -> [&str; COLUMNS.len()] {
        [
            &self.occurred_at,
            &self.action,
            &self.version,
            &self.actor_id,
            &self.actor_type,
            self.actor_name.as_deref().unwrap_or_default(),
            &self.actor_metadata,
            &self.targets,
            &self.location,
            &self.user_agent,
            &self.metadata,
        ]
    }
}

fn text(fields: &Fields<'_>, key: &str) -> Option<String> {
    serde_json::from_str(fields.get(key)?.get()).ok()
}

fn raw(fields: &Fields<'_>, key: &str) -> String {
    fields
        .get(key)
        .map(|raw| raw.get().to_owned())
        .unwrap_or_default()
}

fn object<'a>(fields: &Fields<'a>, key: &str) -> Fields<'a> {
    fields
        .get(key)
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let event = ExportedEvent::read(
            r#"{"version":3,"metadata":{"n":123456789012345678901234567890,"x":1.10}}"#,
        )
        .unwrap();
        assert_eq!(event.version, "3");
        assert_eq!(
            event.metadata,
            r#"{"n":123456789012345678901234567890,"x":1.10}"#
        );
    }

    #[test]
    fn last_value_of_a_repeated_field_counts() {
        let event = ExportedEvent::read(r#"{"action":"a","action":"b"}"#).unwrap();
        assert_eq!(event.action, "b");
    }
}
