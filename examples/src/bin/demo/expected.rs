//! The expected events.

use audit_server::StoredEvent;
use serde_json::Value;

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

    /// Reads the fields of a stored event. A missing field is empty, which differs from every
    /// expected value.
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
