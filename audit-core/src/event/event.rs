//! The event: one packed buffer, decoded on access.

use std::fmt;
use std::time::SystemTime;

use super::actor::ActorRef;
use super::buffer::{Fields, insert_last};
use super::id::EventId;
use super::outcome::Outcome;
use super::target::TargetRef;
use super::time::from_millis;
use crate::event::buffer::{Buffer, Tag, Value};

/// The bytes of the header: id 16, occurred_at 8, version 4, outcome 1, flags 1, recorded outcomes
/// 1.
pub(super) const HEADER: usize = 31;
pub(super) const OCCURRED_AT: usize = 16;
pub(super) const VERSION: usize = 24;
pub(super) const OUTCOME: usize = 28;
pub(super) const FLAGS: usize = 29;
pub(super) const ON: usize = 30;

/// The initial capacity: enough for a typical event, so that it takes one allocation.
pub(super) const CAPACITY: usize = 512;

pub(super) const HAS_ACTOR: u8 = 1;
pub(super) const HAS_ORGANIZATION: u8 = 2;
pub(super) const HAS_LOCATION: u8 = 4;
pub(super) const HAS_EACH_TARGET: u8 = 8;
pub(super) const IS_DURABLE: u8 = 16;
#[cfg(feature = "spool")]
const ALL_FLAGS: u8 = HAS_ACTOR | HAS_ORGANIZATION | HAS_LOCATION | HAS_EACH_TARGET | IS_DURABLE;

/// One audit event: an action, its actor, its targets, its context and its outcome.
///
/// Events come from `#[audited]`, or from a builder:
///
/// ```
/// use audit_core::{Actor, Event, Outcome, Target};
///
/// let event = Event::builder("document.delete")
///     .organization("org_01EHWNCE74X7JSDV0X3SZ3KJNY")
///     .actor(Actor::user("user_1"))
///     .target(Target::new("document", 42))
///     .metadata("reason", "gdpr")
///     .build()?;
///
/// assert_eq!(event.action(), "document.delete");
/// assert_eq!(event.outcome(), Outcome::Succeeded);
/// assert_eq!(event.targets().next().map(|target| target.id()), Some("42"));
/// # Ok::<_, audit_core::EventError>(())
/// ```
///
/// Values longer than 500 characters were cut, and the names of the cut fields are in
/// [`Event::truncated`].
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    pub(super) buffer: Buffer,
}

impl Event {
    /// Returns an event that begins now and whose outcome is not known yet.
    pub(crate) fn begin(action: &str, millis: u64) -> Self {
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(EventId::mint(millis).as_bytes());
        header[OCCURRED_AT..VERSION].copy_from_slice(&millis.to_le_bytes());
        header[OUTCOME] = Outcome::Unknown.to_byte();
        header[ON] = Outcome::mask(&Outcome::ALL);
        let mut buffer = Buffer::with_header(&header, CAPACITY);
        buffer
            .writer()
            .push_text(Tag::Action, "action", |out| out.push_str(action));
        Self { buffer }
    }

    #[cfg(feature = "spool")]
    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Returns the event of a stored buffer, if its header and fields are valid.
    #[cfg(feature = "spool")]
    pub(super) fn from_buffer(buffer: Buffer) -> Option<Self> {
        if buffer.len() < HEADER || !buffer.is_valid(HEADER) {
            return None;
        }
        let event = Self { buffer };
        let header = event.header();
        let is_valid = header[FLAGS] & !ALL_FLAGS == 0
            && Outcome::from_byte(header[OUTCOME]).to_byte() == header[OUTCOME]
            && header[ON] & !Outcome::mask(&Outcome::ALL) == 0
            && event.first(Tag::Action).is_some();
        is_valid.then_some(event)
    }

    pub(super) fn header(&self) -> [u8; HEADER] {
        self.buffer.header()
    }

    /// Returns the id, which is also the `Idempotency-Key` of every delivery attempt.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId::from_bytes(self.buffer.header())
    }

    /// Returns the action, such as `document.delete`.
    ///
    /// Of a denial it is the action that the catalog names under `denied`, if any.
    #[must_use]
    pub fn action(&self) -> &str {
        // Derived from the outcome, so that settling the outcome needs no knowledge of actions.
        let denied = match self.outcome() {
            Outcome::Denied => self.first(Tag::DeniedAction),
            _ => None,
        };
        denied
            .or_else(|| self.first(Tag::Action))
            .unwrap_or_default()
    }

    /// Returns the time at which the operation began, to the millisecond.
    #[must_use]
    pub fn occurred_at(&self) -> SystemTime {
        let mut millis = [0; 8];
        millis.copy_from_slice(&self.header()[OCCURRED_AT..VERSION]);
        from_millis(u64::from_le_bytes(millis))
    }

    /// Returns the schema version that the event is written for, if one was set.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        let mut version = [0; 4];
        version.copy_from_slice(&self.header()[VERSION..OUTCOME]);
        Some(u32::from_le_bytes(version)).filter(|version| *version != 0)
    }

    /// Returns the outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::from_byte(self.buffer.header_byte(OUTCOME))
    }

    /// Returns the organization whose log the event belongs to; `None` until it is set.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.last(Tag::Organization)
    }

    /// Returns the actor; `None` until it is set.
    #[must_use]
    pub fn actor(&self) -> Option<ActorRef<'_>> {
        ActorRef::find(&self.buffer, HEADER)
    }

    /// Returns the targets, in the order in which they were added.
    #[must_use]
    pub fn targets(&self) -> Targets<'_> {
        Targets {
            buffer: self.buffer.iter(HEADER),
            next: None,
        }
    }

    /// Returns the metadata of the event.
    ///
    /// Each key occurs once, with its last value, in the order of first occurrence.
    #[must_use]
    pub fn metadata(&self) -> Metadata<'_> {
        let mut entries = Vec::new();
        for field in self
            .buffer
            .iter(HEADER)
            .filter(|field| field.tag == Tag::Metadata)
        {
            insert_last(&mut entries, field.metadata());
        }
        Metadata {
            entries: entries.into_iter(),
        }
    }

    /// Returns the value of one metadata key.
    #[must_use]
    pub fn metadata_value(&self, key: &str) -> Option<Value<'_>> {
        self.metadata()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// Returns whether the event has the `count` of events that it represents.
    pub(crate) fn is_coalesced(&self) -> bool {
        let mut buffer = self.buffer.iter(HEADER);
        buffer.any(|field| {
            field.tag == Tag::Metadata && field.metadata().is_some_and(|(key, _)| key == "count")
        })
    }

    /// Returns the location: an address, or a word such as `internal`.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.last(Tag::Location)
    }

    /// Returns the user agent.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.last(Tag::UserAgent)
    }

    /// Returns the names of the fields whose values were cut.
    pub fn truncated(&self) -> impl Iterator<Item = &str> {
        self.buffer
            .iter(HEADER)
            .filter(|field| field.tag == Tag::Truncated)
            .map(|field| field.text())
    }

    /// Returns whether the value of any field was cut.
    pub(crate) fn is_truncated(&self) -> bool {
        self.buffer.is_truncated()
    }

    /// Returns the bytes that the event occupies in memory, which the queue's bound on bytes
    /// counts.
    #[must_use]
    pub fn size(&self) -> usize {
        self.buffer.capacity() + size_of::<Self>()
    }

    fn first(&self, tag: Tag) -> Option<&str> {
        self.buffer
            .iter(HEADER)
            .find(|field| field.tag == tag)
            .map(|field| field.text())
    }

    fn last(&self, tag: Tag) -> Option<&str> {
        self.buffer
            .iter(HEADER)
            .filter(|field| field.tag == tag)
            .last()
            .map(|field| field.text())
    }
}

/// Prints no content: an event is personal data, and `Debug` output ends up in logs.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id())
            .field("action", &self.action())
            .field("outcome", &self.outcome())
            .field("bytes", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// An iterator over the targets of an event.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    buffer: Fields<'a>,
    next: Option<TargetRef<'a>>,
}

impl<'a> Iterator for Targets<'a> {
    type Item = TargetRef<'a>;

    fn next(&mut self) -> Option<TargetRef<'a>> {
        for field in self.buffer.by_ref() {
            match (field.tag, &mut self.next) {
                (Tag::Target | Tag::EachTarget, next) => {
                    let (kind, id) = field.prefixed();
                    let opened = TargetRef {
                        kind,
                        id,
                        name: None,
                        metadata: Vec::new(),
                    };
                    if let Some(complete) = next.replace(opened) {
                        return Some(complete);
                    }
                }
                (Tag::TargetName, Some(target)) => target.name = Some(field.text()),
                (Tag::TargetMetadata, Some(target)) => {
                    insert_last(&mut target.metadata, field.metadata())
                }
                _ => {}
            }
        }
        self.next.take()
    }
}

/// An iterator over the metadata of an event.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    entries: std::vec::IntoIter<(&'a str, Value<'a>)>,
}

impl<'a> Iterator for Metadata<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::actor::Actor;
    use crate::event::context::Context;
    use crate::event::target::Target;

    fn event() -> Event {
        Event::builder("document.share")
            .organization("org_1")
            .actor(Actor::user("u1").name("Ada").metadata("role", "admin"))
            .target(
                Target::new("document", 42)
                    .name("Plan")
                    .metadata("pages", 3),
            )
            .target(Target::new("user", "u2"))
            .metadata("role", "reader")
            .context(Context::new().location("203.0.113.7").user_agent("curl/8"))
            .version(3)
            .build()
            .unwrap()
    }

    #[test]
    fn written_values_are_read_back() {
        let event = event();
        let actor = event.actor().unwrap();
        assert_eq!((actor.id(), actor.name()), ("u1", Some("Ada")));
        assert_eq!(actor.metadata(), [("role", Value::Text("admin"))]);
        let targets: Vec<_> = event.targets().collect();
        assert_eq!(
            (targets[0].kind(), targets[0].id(), targets[0].name()),
            ("document", "42", Some("Plan"))
        );
        assert_eq!(targets[0].metadata(), [("pages", Value::Integer(3))]);
        assert_eq!(
            (targets[1].kind(), targets[1].id(), targets[1].name()),
            ("user", "u2", None)
        );
        assert_eq!(
            event.metadata().collect::<Vec<_>>(),
            [("role", Value::Text("reader"))]
        );
        assert_eq!(event.organization(), Some("org_1"));
        assert_eq!(
            (event.location(), event.user_agent()),
            (Some("203.0.113.7"), Some("curl/8"))
        );
        assert_eq!(event.version(), Some(3));
    }

    #[test]
    fn the_last_writer_of_a_key_wins_in_the_place_of_the_first() {
        let mut event = Event::begin("a", 0);
        event.push_metadata("role", "reader");
        event.push_metadata("pages", &1);
        event.push_metadata("role", "writer");
        let entries: Vec<_> = event.metadata().collect();
        assert_eq!(
            entries,
            [
                ("role", Value::Text("writer")),
                ("pages", Value::Integer(1))
            ]
        );
    }

    #[test]
    fn a_later_actor_replaces_the_earlier_one_whole() {
        let mut event = Event::begin("a", 0);
        event.set_actor(&Actor::user("u1").name("Ada").metadata("role", "admin"));
        event.set_actor(&Actor::service("billing"));
        let actor = event.actor().unwrap();
        assert_eq!(
            (actor.id(), actor.name(), actor.metadata().len()),
            ("billing", None, 0)
        );
    }

    #[test]
    fn only_a_denial_has_the_denied_action() {
        let mut event = Event::begin("document.share", 0);
        event.set_denied_action("document.share_denied");
        for outcome in [
            Outcome::Unknown,
            Outcome::Failed,
            Outcome::Denied,
            Outcome::Succeeded,
        ] {
            event.set_outcome(outcome);
            let expected = if outcome == Outcome::Denied {
                "document.share_denied"
            } else {
                "document.share"
            };
            assert_eq!(event.action(), expected, "{outcome}");
        }
    }

    #[test]
    fn a_typical_event_takes_one_allocation() {
        assert_eq!(event().buffer.capacity(), CAPACITY);
    }

    #[test]
    fn excess_targets_are_split_over_events_that_share_the_single_targets() {
        let mut event = Event::begin("a", 7);
        event.push_target(&Target::new("document", 1));
        for id in 0..40 {
            event.push_each_target(&Target::new("user", id).metadata("n", id));
        }
        event.push_metadata("role", "reader");
        let id = event.id();
        let parts = event.split();
        let sizes: Vec<_> = parts.iter().map(|part| part.targets().count()).collect();
        assert_eq!(sizes, [20, 20, 3], "19 of the many beside the single one");
        assert_eq!(parts[0].id(), id);
        assert!(parts[1].id() != id && parts[2].id() != parts[1].id());
        let users: Vec<_> = parts
            .iter()
            .flat_map(|part| part.targets().filter(|target| target.kind() == "user"))
            .map(|user| (user.id().to_owned(), user.metadata()[0].1.to_string()))
            .collect();
        let all: Vec<_> = (0..40).map(|id| (id.to_string(), id.to_string())).collect();
        assert_eq!(users, all);
        for part in &parts {
            assert_eq!(part.targets().next().unwrap().kind(), "document");
            assert_eq!(part.metadata_value("role"), Some(Value::Text("reader")));
            assert_eq!(part.occurred_at(), from_millis(7));
        }
    }

    #[test]
    fn targets_within_the_limit_are_not_split() {
        let mut event = Event::begin("a", 7);
        for id in 0..20 {
            event.push_each_target_id("user", &id);
        }
        assert_eq!(event.split().len(), 1);
    }

    #[test]
    fn fault_55_a_value_that_panics_leaves_a_valid_event_without_that_field() {
        struct Panics;

        impl crate::event::AuditText for Panics {
            fn audit_text(&self, out: &mut crate::event::Text<'_>) {
                out.push_str("half of it");
                panic!("on purpose");
            }
        }

        type Write = fn(&mut Event);
        let cases: [(&str, Write); 8] = [
            ("target.id", |event| {
                event.push_target_id("document", &Panics)
            }),
            ("target.id", |event| {
                event.push_each_target_id("user", &Panics)
            }),
            ("target.name", |event| event.name_target(&Panics)),
            ("organization", |event| {
                event.set_organization(|out| crate::event::AuditText::audit_text(&Panics, out));
            }),
            ("context.location", |event| event.set_location(&Panics)),
            ("context.user_agent", |event| event.set_user_agent(&Panics)),
            ("note", |event| {
                let write = |out: &mut crate::event::Text<'_>| {
                    crate::event::AuditText::audit_text(&Panics, out);
                };
                let mut writer = event.buffer.writer();
                writer.push_metadata_text(crate::event::buffer::Owner::Event, "note", write);
            }),
            ("size", |event| {
                let write = |out: &mut crate::event::Text<'_>| {
                    crate::event::AuditText::audit_text(&Panics, out);
                };
                let mut writer = event.buffer.writer();
                writer.push_metadata_text(crate::event::buffer::Owner::Target, "size", write);
            }),
        ];
        for (field, write) in cases {
            let mut event = Event::begin("document.delete", 0);
            event.push_target_id("folder", &1);
            let write = std::panic::AssertUnwindSafe(|| write(&mut event));
            assert!(std::panic::catch_unwind(write).is_err());
            event.leave_out_unfinished();
            #[cfg(feature = "spool")]
            assert!(Event::from_packed(&event.to_packed()).is_ok(), "{field}");
            assert_eq!(event.truncated().collect::<Vec<_>>(), [field]);
            event.set_actor(&Actor::user("u1"));
            assert_eq!(event.truncated().collect::<Vec<_>>(), [field]);
            assert_eq!(event.actor().unwrap().id(), "u1", "{field}");
            let targets: Vec<_> = event.targets().map(|target| target.id()).collect();
            assert_eq!(targets, ["1"], "{field}");
            assert_eq!(event.organization(), None);
            assert!(!event.has_location());
            #[cfg(feature = "spool")]
            assert!(event.buffer.is_valid(HEADER), "{field}");
        }
    }

    #[test]
    fn debug_output_holds_no_content() {
        let text = format!("{:?}", event());
        assert!(
            !text.contains("u1") && !text.contains("Ada") && !text.contains("reader"),
            "{text}"
        );
    }
}
