//! The expected events, and their comparison with the stored ones.

use audit_server::StoredEvent;
use serde_json::Value;

use crate::print;

/// The expected outcome of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Denied,
    Failed,
    Panicked,
    Abandoned,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The fields of an event that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) action: String,
    pub(crate) actor: String,
    pub(crate) targets: String,
    pub(crate) organization: String,
    pub(crate) location: String,
    pub(crate) outcome: String,
}

impl Expected {
    pub(crate) fn new(
        action: &str,
        actor: &str,
        organization: &str,
        outcome: Outcome,
        targets: &[(&str, &str)],
    ) -> Self {
        let targets: Vec<_> = targets
            .iter()
            .map(|(kind, id)| format!("{kind}:{id}"))
            .collect();
        Self {
            action: action.to_owned(),
            actor: actor.to_owned(),
            targets: targets.join(" "),
            organization: organization.to_owned(),
            location: "127.0.0.1".to_owned(),
            outcome: outcome.as_str().to_owned(),
        }
    }

    /// The same of a stored event. A field that is not there reads as empty, and so differs from
    /// what must be there.
    pub(crate) fn of_stored(stored: &StoredEvent) -> Self {
        let event = stored.event();
        let text = |pointer: &str| {
            event
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let targets = event
            .get("targets")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let field = |target: &Value, name: &str| {
            target
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let targets: Vec<_> = targets
            .iter()
            .map(|target| format!("{}:{}", field(target, "type"), field(target, "id")))
            .collect();
        Self {
            action: text("/action"),
            actor: text("/actor/id"),
            targets: targets.join(" "),
            organization: stored.organization_id().unwrap_or_default().to_owned(),
            location: text("/context/location"),
            outcome: text("/metadata/outcome"),
        }
    }
}

/// Prints both sides as one table. Returns `true` if exactly the expected events are stored.
pub(crate) fn compare(expected: &[Expected], stored: &[StoredEvent]) -> bool {
    let mut stored: Vec<_> = stored.iter().map(Expected::of_stored).collect();
    let mut rows = Vec::new();
    for event in expected {
        match stored.iter().position(|other| other == event) {
            Some(found) => rows.push(("ok", stored.remove(found))),
            None => rows.push(("missing", event.clone())),
        }
    }
    rows.extend(stored.into_iter().map(|event| ("unexpected", event)));
    let exact = rows.iter().all(|(mark, _)| *mark == "ok");
    print::print_table(&rows);
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_event_is_a_difference() {
        let event = Expected::new("a", "u1", "org_1", Outcome::Succeeded, &[("user", "u1")]);
        assert!(compare(&[], &[]));
        assert!(!compare(&[event], &[]));
    }
}
