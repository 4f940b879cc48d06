//! The fields a test expects of an event, and the message of a failed assertion.

use std::fmt::{self, Write as _};

use super::events::{Line, Literal, Name};
use crate::event::{AuditId, Event, MetadataValue, Outcome, now_millis};

/// The expected fields of `assert_audited!` and `assert_not_audited!`. The macros fill it in.
#[derive(Debug)]
#[must_use]
pub struct Expected {
    /// The expected values as an event stores them: written by the same functions, truncated at
    /// the same limits.
    values: Event,
    fields: Vec<Field>,
}

/// One expected field. Fields are kept in the order of the macro's arguments.
#[derive(Debug)]
enum Field {
    Action(String),
    Target { kind: Option<String>, id: String },
    Outcome(Outcome),
    Actor { kind: Option<String>, id: String },
    Organization(String),
    Location(String),
    Metadata(String),
}

impl Expected {
    /// Matches any event.
    #[expect(clippy::new_without_default, reason = "only the macros call it")]
    pub fn new() -> Self {
        Self {
            values: Event::begin("", now_millis()),
            fields: Vec::new(),
        }
    }

    fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Requires this action.
    pub fn action(self, action: impl AsRef<str>) -> Self {
        self.with(Field::Action(action.as_ref().to_owned()))
    }

    /// Requires a target of this type and id.
    pub fn target(self, kind: &str, id: &(impl AuditId + ?Sized)) -> Self {
        let kind = Some(plain(kind));
        self.with(Field::Target { kind, id: text(id) })
    }

    /// Requires a target of this id, of any type.
    pub fn any_target(self, id: &(impl AuditId + ?Sized)) -> Self {
        self.with(Field::Target {
            kind: None,
            id: text(id),
        })
    }

    /// Requires this outcome.
    pub fn outcome(self, outcome: Outcome) -> Self {
        self.with(Field::Outcome(outcome))
    }

    /// Requires an actor of this kind and id.
    pub fn actor(self, kind: &str, id: &(impl AuditId + ?Sized)) -> Self {
        let kind = Some(plain(kind));
        self.with(Field::Actor { kind, id: text(id) })
    }

    /// Requires an actor of this id, of any kind.
    pub fn any_actor(self, id: &(impl AuditId + ?Sized)) -> Self {
        self.with(Field::Actor {
            kind: None,
            id: text(id),
        })
    }

    /// Requires this organization.
    pub fn organization(self, id: &(impl AuditId + ?Sized)) -> Self {
        self.with(Field::Organization(text(id)))
    }

    /// Requires this location.
    pub fn location(self, location: impl fmt::Display) -> Self {
        self.with(Field::Location(location.to_string()))
    }

    /// Requires this metadata value; an absent value requires that the key is missing.
    pub fn metadata(mut self, key: &str, value: &(impl MetadataValue + ?Sized)) -> Self {
        let key = plain(key);
        self.values.push_metadata(&key, value);
        self.with(Field::Metadata(key))
    }

    /// Returns the one matching event; panics if there are none or several.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion")]
    pub fn one(self, events: &[Event]) -> Event {
        let matching: Vec<_> = self.matching(events).collect();
        match matching[..] {
            [event] => event.clone(),
            [] => panic!("{}", self.none_matches("one event", events)),
            ref several => panic!("{}", self.several_match("one event", several.len(), events)),
        }
    }

    /// Returns the matching events; panics unless there are `count`.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion")]
    pub fn times(self, events: &[Event], count: usize) -> Vec<Event> {
        let matching: Vec<_> = self.matching(events).cloned().collect();
        let expected = counted(count);
        match matching.len() {
            found if found == count => matching,
            0 => panic!("{}", self.none_matches(&expected, events)),
            found => panic!("{}", self.several_match(&expected, found, events)),
        }
    }

    /// Panics if an event matches.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion")]
    pub fn never(self, events: &[Event]) {
        let found = self.matching(events).count();
        if found > 0 {
            panic!("{}", self.several_match("no event", found, events));
        }
    }

    fn matching<'a>(&'a self, events: &'a [Event]) -> impl Iterator<Item = &'a Event> {
        events
            .iter()
            .filter(|event| self.differences(event).is_empty())
    }

    fn several_match(&self, expected: &str, found: usize, events: &[Event]) -> String {
        let mut message = format!("expected {expected}, found {found}:\n  {self}\n");
        if expected == "one event" {
            let _ = writeln!(
                message,
                "if all of them are expected, add `count = {found}`; otherwise add fields that differ between them"
            );
        }
        list(&mut message, events);
        message
    }

    fn none_matches(&self, expected: &str, events: &[Event]) -> String {
        let mut message = format!("expected {expected}, found none:\n  {self}\n");
        if let Some((index, differences)) = self.nearest(events) {
            let _ = writeln!(
                message,
                "the nearest is event-{}, which differs in",
                index + 1
            );
            for Difference {
                field,
                expected,
                found,
            } in differences
            {
                let _ = writeln!(message, "  {field}: expected {expected}, found {found}");
            }
        }
        list(&mut message, events);
        message
    }

    /// Returns the event with the fewest differences, and those; the first of several. An equal
    /// action outweighs all other fields.
    fn nearest(&self, events: &[Event]) -> Option<(usize, Vec<Difference>)> {
        let all = events.iter().map(|event| self.differences(event));
        all.enumerate().min_by_key(|(_, differences)| {
            let is_other = differences
                .iter()
                .any(|difference| difference.field == "action");
            (is_other, differences.len())
        })
    }

    fn differences(&self, event: &Event) -> Vec<Difference> {
        let difference = |field| self.difference(field, event);
        self.fields.iter().filter_map(difference).collect()
    }

    fn difference(&self, field: &Field, event: &Event) -> Option<Difference> {
        match field {
            Field::Action(action) => differ("action", Some(action.as_str()), Some(event.action())),
            Field::Target { kind, id } => {
                let mut targets = event.targets();
                let is_here = targets.any(|target| {
                    target.id() == id && kind.as_deref().is_none_or(|kind| kind == target.kind())
                });
                let found = event
                    .targets()
                    .map(|target| named(Some(target.kind()), target.id()));
                (!is_here).then(|| Difference {
                    field: "target".to_owned(),
                    expected: named(kind.as_deref(), id),
                    found: or_none(found.collect::<Vec<_>>().join(", ")),
                })
            }
            Field::Outcome(outcome) => (*outcome != event.outcome()).then(|| Difference {
                field: "outcome".to_owned(),
                expected: outcome.to_string(),
                found: event.outcome().to_string(),
            }),
            Field::Actor { kind, id } => {
                let actor = event.actor();
                let is_it = actor.as_ref().is_some_and(|actor| {
                    actor.id() == id
                        && kind
                            .as_deref()
                            .is_none_or(|kind| kind == actor.kind().as_str())
                });
                let found = actor.map(|actor| named(Some(actor.kind().as_str()), actor.id()));
                (!is_it).then(|| Difference {
                    field: "actor".to_owned(),
                    expected: named(kind.as_deref(), id),
                    found: or_none(found.unwrap_or_default()),
                })
            }
            Field::Organization(id) => differ("organization", Some(id), event.organization()),
            Field::Location(location) => differ("location", Some(location), event.location()),
            Field::Metadata(key) => {
                let shown = |event: &Event| {
                    let value = event.metadata_value(key);
                    or_none(value.map_or_else(String::new, |value| Literal(value).to_string()))
                };
                (self.values.metadata_value(key) != event.metadata_value(key)).then(|| Difference {
                    field: format!("metadata {}", Name(key)),
                    expected: shown(&self.values),
                    found: shown(event),
                })
            }
        }
    }
}

/// Prints the fields in the notation of the macros.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fields.is_empty() {
            return f.write_str("any event");
        }
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match field {
                Field::Action(action) => write!(f, "action = {action:?}"),
                Field::Target { kind, id } => argument(f, "target", kind.as_deref(), id),
                Field::Outcome(outcome) => write!(f, "outcome = {outcome}"),
                Field::Actor { kind, id } => argument(f, "actor", kind.as_deref(), id),
                Field::Organization(id) => write!(f, "organization = {id:?}"),
                Field::Location(location) => write!(f, "location = {location:?}"),
                Field::Metadata(key) => match self.values.metadata_value(key) {
                    Some(value) => write!(f, "metadata({} = {})", Name(key), Literal(value)),
                    None => write!(f, "metadata({} = None)", Name(key)),
                },
            }?;
        }
        Ok(())
    }
}

struct Difference {
    field: String,
    expected: String,
    found: String,
}

fn differ(field: &str, expected: Option<&str>, found: Option<&str>) -> Option<Difference> {
    let shown =
        |text: Option<&str>| or_none(text.map_or_else(String::new, |text| format!("{text:?}")));
    (expected != found).then(|| Difference {
        field: field.to_owned(),
        expected: shown(expected),
        found: shown(found),
    })
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

/// Formats `document = "42"`, or `"42"` if any kind matches.
fn named(kind: Option<&str>, id: &str) -> String {
    match kind {
        Some(kind) => format!("{} = {id:?}", Name(kind)),
        None => format!("{id:?}"),
    }
}

fn argument(f: &mut fmt::Formatter<'_>, name: &str, kind: Option<&str>, id: &str) -> fmt::Result {
    match kind {
        Some(_) => write!(f, "{name}({})", named(kind, id)),
        None => write!(f, "{name} = {id:?}"),
    }
}

fn counted(count: usize) -> String {
    match count {
        0 => "no event".to_owned(),
        1 => "one event".to_owned(),
        _ => format!("{count} events"),
    }
}

fn list(message: &mut String, events: &[Event]) {
    if events.is_empty() {
        message.push_str(
            "nothing was recorded; events of a scope are recorded when the scope is settled\n",
        );
        return;
    }
    let _ = writeln!(message, "recorded: {}", counted(events.len()));
    for (index, event) in events.iter().enumerate() {
        let _ = writeln!(message, "  event-{}: {}", index + 1, Line(event));
    }
}

/// Removes the prefix of a raw identifier.
fn plain(name: &str) -> String {
    name.strip_prefix("r#").unwrap_or(name).to_owned()
}

/// Returns an id as an event stores it.
fn text(id: &(impl AuditId + ?Sized)) -> String {
    let mut event = Event::begin("", 0);
    event.push_target_id("", id);
    event
        .targets()
        .next()
        .map_or_else(String::new, |target| target.id().to_owned())
}
