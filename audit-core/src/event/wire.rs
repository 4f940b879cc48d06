//! The JSON body of `POST /audit_logs/events`.
//!
//! It is made on the dispatcher's thread, never on that of the audited code.

#![cfg_attr(
    not(any(feature = "workos", feature = "testing")),
    expect(dead_code, reason = "lines alone are never shed")
)]

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::event::Event;
use crate::event::buffer::Value;

/// Bodies above this are refused by the service ("request entity too large"; the limit is not
/// documented, and [a user of the API guards at this
/// size](https://github.com/dust-tt/dust/pull/26412)).
const MAX_BODY_BYTES: usize = 60_000;
/// The initial capacity: enough for a typical body, so that it takes one allocation.
const USUAL_BODY_BYTES: usize = 1_024;
/// The length to which the texts of an oversize event are cut.
const SHED_CHARS: usize = 40;

/// Returns the body of an event, shedding metadata until it is within the service's limit.
///
/// First every metadata text of the application is cut to 40 characters, then the application's
/// metadata is left out and names are cut. The keys are listed under `truncated` either way. Ids
/// are never cut.
pub(crate) fn body(event: &Event, organization: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Vec::with_capacity(USUAL_BODY_BYTES);
    for shed in [Shed::Nothing, Shed::LongTexts, Shed::Metadata] {
        body.clear();
        let content = Body {
            event,
            organization,
            shed,
        };
        serde_json::to_writer(&mut body, &content)?;
        if body.len() <= MAX_BODY_BYTES {
            break;
        }
    }
    Ok(body)
}

/// Returns the event as a line of JSON: the whole [`body`] and the id.
#[cfg(feature = "json-lines")]
pub(crate) fn line(event: &Event) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        id: String,
        organization_id: Option<&'a str>,
        event: Inner<'a>,
    }
    let organization_id = event.organization().filter(|id| !id.is_empty());
    let body = Body {
        event,
        organization: organization_id.unwrap_or_default(),
        shed: Shed::Nothing,
    };
    let mut line = serde_json::to_vec(&Line {
        id: event.id().to_string(),
        organization_id,
        event: Inner(&body),
    })?;
    line.push(b'\n');
    Ok(line)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shed {
    Nothing,
    LongTexts,
    Metadata,
}

struct Body<'a> {
    event: &'a Event,
    organization: &'a str,
    shed: Shed,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("organization_id", self.organization)?;
        map.serialize_entry("event", &Inner(self))?;
        map.end()
    }
}

struct Inner<'a>(&'a Body<'a>);

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Body { event, shed, .. } = *self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("action", event.action())?;
        let time = humantime::format_rfc3339_millis(event.occurred_at());
        map.serialize_entry("occurred_at", &format_args!("{time}"))?;
        if let Some(version) = event.version() {
            map.serialize_entry("version", &version)?;
        }
        if let Some(actor) = event.actor() {
            map.serialize_entry(
                "actor",
                &Party {
                    id: actor.id(),
                    kind: actor.kind().as_str(),
                    name: actor.name(),
                    metadata: actor.metadata(),
                    shed,
                },
            )?;
        }
        map.serialize_entry("targets", &Parties { event, shed })?;
        map.serialize_entry("context", &Place(event))?;

        let mut metadata: Vec<_> = event.metadata().collect();
        let outcome = event.outcome().as_str();
        metadata.retain(|(key, _)| *key != "outcome");
        metadata.insert(0, ("outcome", Value::Text(outcome)));
        let truncated = truncated(event, shed);
        if !truncated.is_empty() {
            metadata.push(("truncated", Value::Text(&truncated)));
        }
        map.serialize_entry(
            "metadata",
            &Entries {
                entries: &metadata,
                shed,
            },
        )?;
        map.end()
    }
}

/// Returns the names of all cut fields, at recording and here, within the limit of a value.
fn truncated(event: &Event, shed: Shed) -> String {
    if matches!(shed, Shed::Nothing) && event.truncated().next().is_none() {
        return String::new();
    }
    let mut names: Vec<&str> = Vec::new();
    let targets: Vec<_> = event.targets().collect();
    let actor = event.actor();
    let event_metadata: Vec<_> = event.metadata().collect();
    let shed_keys = targets
        .iter()
        .flat_map(|target| target.metadata())
        .chain(actor.iter().flat_map(|actor| actor.metadata()))
        .chain(&event_metadata)
        .filter(|(key, value)| is_shed(key, value, shed))
        .map(|(key, _)| *key);
    for name in event.truncated().chain(shed_keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut list = names.join(",");
    if let Some((end, _)) = list.char_indices().nth(super::MAX_VALUE_CHARS - 1) {
        list.truncate(end);
        list.push('…');
    }
    list
}

fn is_shed(key: &str, value: &Value<'_>, shed: Shed) -> bool {
    match shed {
        _ if super::RESERVED_KEYS.contains(&key) => false,
        Shed::Nothing => false,
        Shed::LongTexts => {
            matches!(value, Value::Text(text) if text.chars().nth(SHED_CHARS).is_some())
        }
        Shed::Metadata => true,
    }
}

struct Parties<'a> {
    event: &'a Event,
    shed: Shed,
}

impl Serialize for Parties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for target in self.event.targets() {
            list.serialize_element(&Party {
                id: target.id(),
                kind: target.kind(),
                name: target.name(),
                metadata: target.metadata(),
                shed: self.shed,
            })?;
        }
        list.end()
    }
}

struct Party<'a> {
    id: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    metadata: &'a [(&'a str, Value<'a>)],
    shed: Shed,
}

impl Serialize for Party<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("type", self.kind)?;
        match (self.name, self.shed) {
            (Some(name), Shed::Metadata) => map.serialize_entry("name", &Short(name))?,
            (Some(name), _) => map.serialize_entry("name", name)?,
            (None, _) => {}
        }
        if !self.metadata.is_empty() {
            map.serialize_entry(
                "metadata",
                &Entries {
                    entries: self.metadata,
                    shed: self.shed,
                },
            )?;
        }
        map.end()
    }
}

struct Place<'a>(&'a Event);

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("location", self.0.location().unwrap_or("internal"))?;
        if let Some(user_agent) = self.0.user_agent() {
            map.serialize_entry("user_agent", user_agent)?;
        }
        map.end()
    }
}

/// A text of at most 40 characters.
struct Short<'a>(&'a str);

impl Serialize for Short<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.chars().nth(SHED_CHARS).is_none() {
            return serializer.serialize_str(self.0);
        }
        let end = self.0.char_indices().nth(SHED_CHARS - 1);
        let end = end.map_or(self.0.len(), |(end, _)| end);
        serializer.collect_str(&format_args!("{}…", &self.0[..end]))
    }
}

struct Entries<'a> {
    entries: &'a [(&'a str, Value<'a>)],
    shed: Shed,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.entries {
            match (is_shed(key, value, self.shed), self.shed, value) {
                (true, Shed::LongTexts, Value::Text(text)) => {
                    map.serialize_entry(key, &Short(text))?;
                }
                (true, ..) => {}
                (false, _, Value::Text(text)) => map.serialize_entry(key, text)?,
                (false, _, Value::Integer(number)) => map.serialize_entry(key, number)?,
                (false, _, Value::Unsigned(number)) => map.serialize_entry(key, number)?,
                (false, _, Value::Float(number)) => map.serialize_entry(key, number)?,
                (false, _, Value::Boolean(value)) => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::event::actor::Actor;
    use crate::event::context::Context;
    use crate::event::outcome::Outcome;
    use crate::event::target::Target;

    fn json(event: &Event) -> Json {
        serde_json::from_slice(&body(event, "org_1").unwrap()).unwrap()
    }

    #[test]
    fn the_body_has_the_documented_form() {
        let event = Event::builder("document.share")
            .occurred_at(UNIX_EPOCH + Duration::from_millis(1_770_050_139_317))
            .actor(
                Actor::user("u1")
                    .name("Ada")
                    .metadata("admin", true)
                    .on_behalf_of("u9"),
            )
            .target(
                Target::new("document", 42)
                    .name("Plan")
                    .metadata("pages", 3),
            )
            .target(Target::new("user", "u2"))
            .metadata("share", 0.5)
            .metadata("role", "reader")
            .context(
                Context::new()
                    .location("203.0.113.7")
                    .user_agent("curl/8")
                    .request_id("r1"),
            )
            .outcome(Outcome::Denied)
            .version(3)
            .build()
            .unwrap();
        assert_eq!(
            json(&event),
            json!({
                "organization_id": "org_1",
                "event": {
                    "action": "document.share",
                    "occurred_at": "2026-02-02T16:35:39.317Z",
                    "version": 3,
                    "actor": { "id": "u1", "type": "user", "name": "Ada", "metadata": { "admin": true } },
                    "targets": [
                        { "id": "42", "type": "document", "name": "Plan", "metadata": { "pages": 3 } },
                        { "id": "u2", "type": "user" }
                    ],
                    "context": { "location": "203.0.113.7", "user_agent": "curl/8" },
                    "metadata": {
                        "outcome": "denied", "on_behalf_of": "u9", "share": 0.5, "role": "reader", "request_id": "r1"
                    }
                }
            })
        );
    }

    #[test]
    fn without_a_request_the_location_is_internal() {
        let event = Event::builder("a").build().unwrap();
        assert_eq!(
            json(&event)["event"]["context"],
            json!({ "location": "internal" })
        );
    }

    #[test]
    fn a_cut_value_is_named_in_the_metadata() {
        let event = Event::builder("a")
            .metadata("note", "x".repeat(600))
            .build()
            .unwrap();
        assert_eq!(json(&event)["event"]["metadata"]["truncated"], "note");
    }

    #[test]
    fn an_oversize_event_sheds_its_metadata_and_lists_the_keys() {
        let long = "é".repeat(500);
        let full = |kind: &str, id: i32| {
            (0..50).fold(Target::new(kind, id), |target, key| {
                target.metadata(&format!("k{key}"), &long)
            })
        };
        let two = Event::builder("a")
            .target(full("d", 1))
            .target(full("d", 2))
            .build()
            .unwrap();
        let sent = json(&two);
        assert!(body(&two, "org_1").unwrap().len() <= MAX_BODY_BYTES);
        assert_eq!(
            sent["event"]["targets"][1]["metadata"]["k49"],
            format!("{}…", "é".repeat(39))
        );
        assert!(
            sent["event"]["metadata"]["truncated"]
                .as_str()
                .unwrap()
                .starts_with("k0,k1,")
        );

        let many = (0..20)
            .fold(Event::builder("a"), |event, id| event.target(full("d", id)))
            .build()
            .unwrap();
        let sent = json(&many);
        assert!(body(&many, "org_1").unwrap().len() <= MAX_BODY_BYTES);
        assert_eq!(sent["event"]["targets"].as_array().unwrap().len(), 20);
        assert_eq!(sent["event"]["targets"][19]["metadata"], json!({}));
    }
}
