//! A list of recorded events that prints and serialises for snapshots.

use std::fmt;
use std::ops::Deref;

use serde::ser::{Error, Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::event::{Event, Value, wire};

/// The recorded events of a test, in the order of recording. Dereferences to a slice of [`Event`].
///
/// # Snapshots
///
/// Ids and times differ from run to run and are replaced: an event is named by its position,
/// `event-1`, and its time is `[time]`. (A time relative to the first event would vary by a
/// millisecond or two.)
///
/// `Display` and `Debug` print one line for each event, in the notation of
/// [`assert_audited!`](crate::assert_audited!). `serde::Serialize` writes the whole content, in the
/// wire format:
///
/// ```
/// use audit_core::testing::Events;
/// use audit_core::{Actor, Event, Target};
///
/// let event = Event::builder("document.delete")
///     .actor(Actor::user("ada"))
///     .target(Target::new("document", 42));
/// let events = Events::from(vec![event.build()?]);
/// assert_eq!(
///     events.to_string(),
///     "event-1: action = \"document.delete\", target(document = \"42\"), \
///      outcome = succeeded, actor(user = \"ada\")\n"
/// );
/// # Ok::<_, audit_core::EventError>(())
/// ```
///
/// With `insta`, `insta::assert_snapshot!(events)` and `insta::assert_json_snapshot!(events)` need
/// no redactions. The lines contain the events' content: do not log them in production.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Events(Vec<Event>);

impl Events {
    /// Returns the action of each event, in order.
    ///
    /// ```
    /// use audit_core::Event;
    /// use audit_core::testing::Events;
    ///
    /// let events = Events::from(vec![Event::builder("document.delete").build()?]);
    /// assert_eq!(events.actions(), ["document.delete"]);
    /// # Ok::<_, audit_core::EventError>(())
    /// ```
    #[must_use]
    pub fn actions(&self) -> Vec<&str> {
        self.0.iter().map(Event::action).collect()
    }
}

impl From<Vec<Event>> for Events {
    fn from(events: Vec<Event>) -> Self {
        Self(events)
    }
}

impl From<Events> for Vec<Event> {
    fn from(events: Events) -> Self {
        events.0
    }
}

impl Deref for Events {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        &self.0
    }
}

impl AsRef<[Event]> for Events {
    fn as_ref(&self) -> &[Event] {
        &self.0
    }
}

impl IntoIterator for Events {
    type Item = Event;
    type IntoIter = std::vec::IntoIter<Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = &'a Event;
    type IntoIter = std::slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, event) in self.0.iter().enumerate() {
            writeln!(f, "event-{}: {}", index + 1, Line(event))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let content = |(index, event)| content(index, event).map_err(S::Error::custom);
        let events: Vec<Json> = self
            .0
            .iter()
            .enumerate()
            .map(content)
            .collect::<Result<_, _>>()?;
        events.serialize(serializer)
    }
}

/// Returns the wire body, with the id and the time replaced.
fn content(index: usize, event: &Event) -> Result<Json, serde_json::Error> {
    let organization = event.organization();
    let body = wire::body(event, organization.unwrap_or_default())?;
    let mut content: Json = serde_json::from_slice(&body)?;
    content["id"] = json!(format!("event-{}", index + 1));
    content["event"]["occurred_at"] = json!("[time]");
    if organization.is_none()
        && let Some(content) = content.as_object_mut()
    {
        content.remove("organization_id");
    }
    Ok(content)
}

/// One event in the notation of the assertions.
pub(super) struct Line<'a>(pub(super) &'a Event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.0;
        write!(f, "action = {:?}", event.action())?;
        for target in event.targets() {
            write!(f, ", target({} = {:?})", Name(target.kind()), target.id())?;
        }
        write!(f, ", outcome = {}", event.outcome())?;
        if let Some(actor) = event.actor() {
            write!(f, ", actor({} = {:?})", actor.kind(), actor.id())?;
        }
        if let Some(organization) = event.organization() {
            write!(f, ", organization = {organization:?}")?;
        }
        if let Some(location) = event.location() {
            write!(f, ", location = {location:?}")?;
        }
        let mut metadata = event.metadata().peekable();
        if metadata.peek().is_some() {
            f.write_str(", metadata(")?;
            for (index, (key, value)) in metadata.enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                write!(f, "{comma}{} = {}", Name(key), Literal(value))?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// A name as the macros accept it: plain if it is a Rust identifier, otherwise quoted.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        if self.0.starts_with(|char: char| char.is_ascii_digit()) || !self.0.chars().all(is_word) {
            write!(f, "{:?}", self.0)
        } else {
            f.write_str(self.0)
        }
    }
}

/// A value as a Rust literal.
pub(super) struct Literal<'a>(pub(super) Value<'a>);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Float(number) => write!(f, "{number:?}"),
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Actor, Context, Outcome, Target};

    fn events() -> Events {
        let full = Event::builder("document.share")
            .actor(Actor::user("ada").name("Ada"))
            .organization("org_1")
            .target(Target::new("document", 42).name("Plan"))
            .target(Target::new("api-key", "k\"1"))
            .metadata("role", "reader")
            .metadata("pages", 3)
            .metadata("share", 1.0)
            .metadata("x-notify", true)
            .context(Context::new().location("203.0.113.7"))
            .outcome(Outcome::Denied);
        let bare = Event::builder("document.delete");
        Events::from(vec![full.build().unwrap(), bare.build().unwrap()])
    }

    #[test]
    fn lines_are_valid_assertion_arguments() {
        let expected = concat!(
            "event-1: action = \"document.share\", target(document = \"42\"), target(\"api-key\" = \"k\\\"1\"), ",
            "outcome = denied, actor(user = \"ada\"), organization = \"org_1\", location = \"203.0.113.7\", ",
            "metadata(role = \"reader\", pages = 3, share = 1.0, \"x-notify\" = true)\n",
            "event-2: action = \"document.delete\", outcome = succeeded\n",
        );
        assert_eq!(events().to_string(), expected);
        assert_eq!(format!("{:?}", events()), expected);
    }

    #[test]
    fn serialised_events_have_the_wire_content_without_ids_and_times() {
        assert_eq!(
            serde_json::to_value(events()).unwrap(),
            json!([
                {
                    "id": "event-1",
                    "organization_id": "org_1",
                    "event": {
                        "action": "document.share",
                        "occurred_at": "[time]",
                        "actor": { "id": "ada", "type": "user", "name": "Ada" },
                        "targets": [{ "id": "42", "type": "document", "name": "Plan" }, { "id": "k\"1", "type": "api-key" }],
                        "context": { "location": "203.0.113.7" },
                        "metadata": { "outcome": "denied", "role": "reader", "pages": 3, "share": 1.0, "x-notify": true }
                    }
                },
                {
                    "id": "event-2",
                    "event": {
                        "action": "document.delete",
                        "occurred_at": "[time]",
                        "targets": [],
                        "context": { "location": "internal" },
                        "metadata": { "outcome": "succeeded" }
                    }
                }
            ])
        );
    }
}
