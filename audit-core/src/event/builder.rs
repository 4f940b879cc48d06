//! The builder of events, for code without an audited function around it.

use std::time::SystemTime;

use super::actor::Actor;
use super::buffer::Field;
use super::capture::{AuditText, MetadataValue};
use super::context::Context;
use super::event::Event;
use super::outcome::Outcome;
use super::target::Target;
use super::time::{now_millis, to_millis};
use crate::event::buffer::{MAX_KEYS, RESERVED_KEYS, Tag};

/// The service refuses an event with more targets
/// ([reported by users](https://github.com/dust-tt/dust/pull/27021), not documented).
pub(super) const MAX_TARGETS: usize = 20;
/// A metadata key has at most this many characters of `[a-zA-Z0-9_-]`
/// ([WorkOS API reference](https://workos.com/docs/reference/audit-logs/event)).
const MAX_KEY_CHARS: usize = 40;
/// The metadata keys of an event that remain for the application; the framework may add its own
/// later.
pub(super) const MAX_OWN_KEYS: usize = MAX_KEYS - RESERVED_KEYS.len();

/// A builder of an [`Event`].
///
/// The event's time is that of the call of [`Event::builder`] unless another is set.
#[derive(Debug)]
#[must_use]
pub struct EventBuilder {
    event: Event,
    /// Upper bounds of targets and metadata keys; a key that is set twice counts twice.
    targets: usize,
    keys: usize,
    kind: Option<EventErrorKind>,
}

impl Event {
    /// Checks the documented limits and returns the event.
    ///
    /// # Errors
    ///
    /// - The action is empty.
    /// - There are more than 20 targets.
    /// - The actor or a target has more than 50 metadata keys, or the event more than 40 of the
    ///   application.
    /// - A key does not match `[a-zA-Z0-9_-]{1,40}`, or is reserved by the framework.
    ///
    /// The first mistake is reported.
    pub fn builder(action: impl AsRef<str>) -> EventBuilder {
        EventBuilder::new(action.as_ref())
    }
}

impl EventBuilder {
    pub(super) fn new(action: &str) -> Self {
        let mut event = Event::begin(action, now_millis());
        event.set_outcome(Outcome::Succeeded);
        let kind = action.is_empty().then_some(EventErrorKind::EmptyAction);
        Self {
            event,
            targets: 0,
            keys: 0,
            kind,
        }
    }

    /// Sets the organization whose log the event belongs to.
    ///
    /// Without one, the recorder's fallback is used.
    pub fn organization(mut self, organization: impl AuditText) -> Self {
        self.event
            .set_organization(|out| organization.audit_text(out));
        self
    }

    /// Sets the actor.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.check_keys(actor.buffer().iter(0), Tag::ActorMetadata);
        self.event.set_actor(&actor);
        self
    }

    /// Adds a target; at most 20.
    pub fn target(mut self, target: Target) -> Self {
        self.targets += 1;
        self.check_keys(target.buffer().iter(0), Tag::TargetMetadata);
        self.event.push_target(&target);
        self
    }

    /// Sets a metadata value of the event.
    ///
    /// Keys have at most 40 characters of `[a-zA-Z0-9_-]`. An event takes at most 40 keys: the
    /// service's limit of 50 less the 10 that the framework may set.
    pub fn metadata(mut self, key: &str, value: impl MetadataValue) -> Self {
        match key_error(key) {
            Some(error) => self.refuse(error.kind),
            None => {
                self.keys += 1;
                self.event.push_metadata(key, &value);
            }
        }
        self
    }

    /// Sets the context. Without a location, the location is `internal`.
    pub fn context(mut self, context: Context) -> Self {
        self.event.set_context(&context);
        self
    }

    /// Sets the time of the event, truncated to milliseconds.
    pub fn occurred_at(mut self, time: SystemTime) -> Self {
        self.event.set_occurred_at(to_millis(time));
        self
    }

    /// Sets the outcome; default [`Outcome::Succeeded`].
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.event.set_outcome(outcome);
        self
    }

    /// Sets the schema version that the event is written for; zero for none.
    pub fn version(mut self, version: u32) -> Self {
        self.event.set_version(version);
        self
    }

    /// Checks the documented limits and hands out the event.
    ///
    /// # Errors
    ///
    /// The action is empty; there are more than 20 targets; the actor or a target has more than 50
    /// metadata keys, or the event more than 40 of the application's; a key is of another form than
    /// `[a-zA-Z0-9_-]{1,40}`, or one that the framework reserves. The first mistake is reported.
    pub fn build(mut self) -> Result<Event, EventError> {
        if self.targets > MAX_TARGETS || self.keys > MAX_OWN_KEYS {
            self.check_size();
        }
        match self.kind {
            None => Ok(self.event),
            Some(kind) => Err(EventError { kind }),
        }
    }

    /// Counts targets and keys that were set more than once only once.
    fn check_size(&mut self) {
        let targets = self.event.targets().count();
        if targets > MAX_TARGETS {
            self.refuse(EventErrorKind::TooManyTargets(targets));
        }
        let own = |(key, _): &(&str, _)| !RESERVED_KEYS.contains(key);
        let keys = self.event.metadata().filter(own).count();
        if keys > MAX_OWN_KEYS {
            self.refuse(EventErrorKind::TooManyOwnKeys(keys));
        }
        let most = self.event.targets().map(|target| target.metadata().len());
        let most = most
            .chain(self.event.actor().map(|actor| actor.metadata().len()))
            .max();
        if let Some(keys) = most.filter(|keys| *keys > MAX_KEYS) {
            self.refuse(EventErrorKind::TooManyKeys(keys));
        }
    }

    fn check_keys<'a>(&mut self, fields: impl Iterator<Item = Field<'a>>, tag: Tag) {
        for (key, _) in fields
            .filter(|field| field.tag == tag)
            .filter_map(|field| field.metadata())
        {
            self.keys += 1;
            self.check_key(key);
        }
    }

    fn check_key(&mut self, key: &str) {
        if !is_key(key) {
            self.refuse(EventErrorKind::BadKey(key.to_owned()));
        }
    }

    fn refuse(&mut self, kind: EventErrorKind) {
        self.kind.get_or_insert(kind);
    }
}

/// Returns whether the service accepts a key of this form.
fn is_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !key.is_empty() && key.len() <= MAX_KEY_CHARS && key.bytes().all(allowed)
}

/// Returns the reason why an application may not use a key in an event's metadata.
pub(crate) fn key_error(key: &str) -> Option<EventError> {
    if is_key(key) && !is_reserved(key) {
        return None;
    }
    let kind = if is_reserved(key) {
        EventErrorKind::ReservedKey(key.to_owned())
    } else {
        EventErrorKind::BadKey(key.to_owned())
    };
    Some(EventError { kind })
}

/// Returns whether the framework sets this key.
///
/// It is called for every key, so most are excluded by their length and first letter.
fn is_reserved(key: &str) -> bool {
    let key = key.as_bytes();
    let is_it = |reserved: &&str| {
        let reserved = reserved.as_bytes();
        reserved.len() == key.len() && reserved.first() == key.first() && reserved == key
    };
    RESERVED_KEYS.iter().any(is_it)
}

/// The error of an event that cannot be built.
///
/// The message gives the field, the rule and the value.
#[derive(Debug, thiserror::Error)]
#[error("build the event: {kind}")]
pub struct EventError {
    kind: EventErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum EventErrorKind {
    #[error("the action is empty; name it as the catalog does, such as `document.delete`")]
    EmptyAction,
    #[error("{0} targets, and the service takes {MAX_TARGETS}; record several events")]
    TooManyTargets(usize),
    #[error("a metadata object has {0} keys, and the service takes {MAX_KEYS}")]
    TooManyKeys(usize),
    #[error(
        "the event has {0} metadata keys, and may have {MAX_OWN_KEYS}, which is the service's {MAX_KEYS} less those that the \
         framework may set; leave some out, or put them on the actor or a target"
    )]
    TooManyOwnKeys(usize),
    #[error("metadata key {0:?} is not of the form [a-zA-Z0-9_-]{{1,{MAX_KEY_CHARS}}}")]
    BadKey(String),
    #[error("metadata key {0:?} is set by the framework; choose another")]
    ReservedKey(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: EventBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn an_error_gives_the_field_the_rule_and_the_value() {
        assert_eq!(
            error(Event::builder("")),
            "build the event: the action is empty; name it as the catalog does, such as `document.delete`"
        );
        assert_eq!(
            error(Event::builder("a").metadata("no spaces", "x")),
            "build the event: metadata key \"no spaces\" is not of the form [a-zA-Z0-9_-]{1,40}"
        );
        assert_eq!(
            error(Event::builder("a").metadata("outcome", "x")),
            "build the event: metadata key \"outcome\" is set by the framework; choose another"
        );
        let many = (0..21).fold(Event::builder("a"), |event, id| {
            event.target(Target::new("document", id))
        });
        assert_eq!(
            error(many),
            "build the event: 21 targets, and the service takes 20; record several events"
        );
        let many = (0..51).fold(Actor::system(), |actor, key| {
            actor.metadata(&format!("k{key}"), key)
        });
        assert_eq!(
            error(Event::builder("a").actor(many)),
            "build the event: a metadata object has 51 keys, and the service takes 50"
        );
        assert!(
            error(Event::builder("a").target(Target::new("t", 1).metadata("ä", 1)))
                .contains("\"ä\"")
        );
    }

    #[test]
    fn values_at_the_limits_are_accepted() {
        let key = "k".repeat(40);
        let event = (0..20).fold(Event::builder("a").metadata(&key, 1), |event, id| {
            event.target(Target::new("document", id))
        });
        let add = |event: EventBuilder, key| event.metadata(&format!("k{key}"), key);
        assert!((0..39).fold(event, add).build().is_ok());
        let error = error((0..41).fold(Event::builder("a"), add));
        assert!(
            error.starts_with("build the event: the event has 41 metadata keys, and may have 40,"),
            "{error}"
        );
    }
}
