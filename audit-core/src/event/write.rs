//! Writing an event: the methods of builders, drafts and the scope.

use std::time::SystemTime;

use super::actor::Actor;
use super::builder::MAX_TARGETS;
use super::capture::{AuditId, AuditText, Entry, MetadataValue};
use super::context::Context;
use super::event::{
    CAPACITY, Event, FLAGS, HAS_ACTOR, HAS_EACH_TARGET, HAS_LOCATION, HAS_ORGANIZATION, HEADER,
    IS_DURABLE, OCCURRED_AT, ON, OUTCOME, VERSION,
};
use super::id::EventId;
use super::outcome::Outcome;
use super::target::Target;
use super::time::to_millis;
use crate::event::buffer::{Buffer, Owner, Tag, Text, Value};

/// The room for what [`Event::represent`] adds: a number and a time, each with a key, a tag and
/// lengths.
const REPRESENT_BYTES: usize = 64;

impl Event {
    pub(crate) fn set_occurred_at(&mut self, millis: u64) {
        self.buffer.header_mut()[OCCURRED_AT..VERSION].copy_from_slice(&millis.to_le_bytes());
    }

    pub(crate) fn set_version(&mut self, version: u32) {
        self.buffer.header_mut()[VERSION..OUTCOME].copy_from_slice(&version.to_le_bytes());
    }

    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.buffer.header_mut()[OUTCOME] = outcome.to_byte();
    }

    /// Sets the outcomes that leave an event.
    pub(crate) fn set_on(&mut self, outcomes: u8) {
        self.buffer.header_mut()[ON] = outcomes;
    }

    /// Returns whether the outcome is one of those that leave an event.
    pub(crate) fn is_wanted(&self) -> bool {
        self.buffer.header_byte(ON) & (1 << self.outcome().to_byte()) != 0
    }

    /// Sets the action under which the event is recorded if it ends as a denial.
    pub(crate) fn set_denied_action(&mut self, action: &str) {
        self.buffer
            .writer()
            .push_text(Tag::DeniedAction, "action", |out| out.push_str(action));
    }

    /// Leaves out a field whose text panicked, and lists it as cut. To be called after a panic of
    /// user code, before anything else is written.
    #[cold]
    pub(crate) fn leave_out_unfinished(&mut self) {
        self.buffer.leave_out_unfinished(HEADER);
    }

    pub(crate) fn set_organization(&mut self, write: impl FnOnce(&mut Text<'_>)) {
        self.buffer
            .writer()
            .push_text(Tag::Organization, "organization", write);
        self.flag(HAS_ORGANIZATION);
    }

    pub(crate) fn set_actor(&mut self, actor: &Actor) {
        self.buffer.extend(actor.buffer());
        self.flag(HAS_ACTOR);
    }

    pub(crate) fn set_context(&mut self, context: &Context) {
        self.buffer.extend(context.buffer());
        if context
            .buffer()
            .iter(0)
            .any(|field| field.tag == Tag::Location)
        {
            self.flag(HAS_LOCATION);
        }
    }

    /// Sets the location.
    pub(crate) fn set_location(&mut self, location: &(impl AuditText + ?Sized)) {
        self.buffer
            .writer()
            .push_text(Tag::Location, "context.location", |out| {
                location.audit_text(out)
            });
        self.flag(HAS_LOCATION);
    }

    /// Sets the user agent.
    pub(crate) fn set_user_agent(&mut self, user_agent: &(impl AuditText + ?Sized)) {
        self.buffer
            .writer()
            .push_text(Tag::UserAgent, "context.user_agent", |out| {
                user_agent.audit_text(out)
            });
    }

    pub(crate) fn push_target(&mut self, target: &Target) {
        self.buffer.extend(target.buffer());
    }

    /// Marks the event as the representative of `count` events, the first of which began at
    /// `first_at`.
    pub(crate) fn represent(&mut self, count: u64, first_at: SystemTime) {
        // The queue's bound does not count the two fields, so they take no more than they need.
        self.buffer.reserve_exact(REPRESENT_BYTES);
        self.push_metadata("count", &count);
        let first_at = humantime::format_rfc3339_millis(first_at).to_string();
        self.push_metadata("first_at", &first_at);
    }

    /// Adds a target of which there may be more than one event accepts, with its name and metadata.
    pub(crate) fn push_each_target(&mut self, target: &Target) {
        for mut field in target.buffer().iter(0) {
            if field.tag == Tag::Target {
                field.tag = Tag::EachTarget;
            }
            self.buffer.writer().push_field(field);
        }
        self.flag(HAS_EACH_TARGET);
    }

    pub(crate) fn push_each_target_id(&mut self, kind: &str, id: &(impl AuditId + ?Sized)) {
        if id.is_present() {
            self.buffer
                .writer()
                .push_prefixed(Tag::EachTarget, kind, "target.id", |out| id.write_id(out));
            self.flag(HAS_EACH_TARGET);
        }
    }

    /// Notes a field that was left out or cut.
    pub(crate) fn push_truncated(&mut self, field: &str) {
        self.buffer.writer().push_truncated(field);
    }

    /// Sets the name of the last target; an absent name changes nothing.
    pub(crate) fn name_target(&mut self, name: &(impl AuditId + ?Sized)) {
        if name.is_present() {
            self.buffer
                .writer()
                .push_text(Tag::TargetName, "target.name", |out| name.write_id(out));
        }
    }

    pub(crate) fn target_entry<'a>(&'a mut self, key: &'a str) -> Entry<'a> {
        Entry {
            writer: self.buffer.writer(),
            owner: Owner::Target,
            key,
        }
    }

    /// Returns whether [`Event::split`] returns several events.
    pub(crate) fn has_too_many_targets(&self) -> bool {
        self.buffer.header_byte(FLAGS) & HAS_EACH_TARGET != 0
            && self.targets().count() > MAX_TARGETS
    }

    /// Returns the event, or as many as are needed so that none has more targets than the service
    /// accepts.
    ///
    /// Each has all fields of the event and its single targets, and some of the others. The first
    /// keeps the id.
    pub(crate) fn split(self) -> Vec<Self> {
        if !self.has_too_many_targets() {
            return vec![self];
        }
        let buffer = || self.buffer.iter(HEADER);
        let single = buffer().filter(|field| field.tag == Tag::Target).count();
        let each = buffer()
            .filter(|field| field.tag == Tag::EachTarget)
            .count();
        // With too many single targets the service accepts no such event, and will refuse it.
        let room = MAX_TARGETS.saturating_sub(single).max(1);
        let parts = each.div_ceil(room);
        let part = |part: usize| {
            let mut event = Self {
                buffer: Buffer::with_header(&self.header(), CAPACITY),
            };
            if part > 0 {
                let id = EventId::mint(to_millis(self.occurred_at()));
                event.buffer.header_mut()[..16].copy_from_slice(id.as_bytes());
            }
            let mut number = 0;
            let mut is_here = true;
            for field in buffer() {
                match field.tag {
                    Tag::Target => is_here = true,
                    Tag::EachTarget => {
                        is_here = number / room == part;
                        number += 1;
                    }
                    _ => {}
                }
                let of_target = matches!(
                    field.tag,
                    Tag::EachTarget | Tag::TargetName | Tag::TargetMetadata
                );
                if is_here || !of_target {
                    event.buffer.writer().push_field(field);
                }
            }
            event
        };
        (0..parts).map(part).collect()
    }

    pub(crate) fn push_target_id(&mut self, kind: &str, id: &(impl AuditId + ?Sized)) {
        if id.is_present() {
            self.buffer
                .writer()
                .push_prefixed(Tag::Target, kind, "target.id", |out| id.write_id(out));
        }
    }

    pub(crate) fn push_metadata(&mut self, key: &str, value: &(impl MetadataValue + ?Sized)) {
        value.append(self.entry(key));
    }

    pub(crate) fn push_status(&mut self, status: http::StatusCode) {
        self.buffer.writer().push_metadata(
            Owner::Event,
            "status",
            Value::Integer(status.as_u16().into()),
        );
    }

    pub(crate) fn entry<'a>(&'a mut self, key: &'a str) -> Entry<'a> {
        Entry {
            writer: self.buffer.writer(),
            owner: Owner::Event,
            key,
        }
    }

    pub(crate) fn has_actor(&self) -> bool {
        self.buffer.header_byte(FLAGS) & HAS_ACTOR != 0
    }

    pub(crate) fn has_organization(&self) -> bool {
        self.buffer.header_byte(FLAGS) & HAS_ORGANIZATION != 0
    }

    pub(crate) fn has_location(&self) -> bool {
        self.buffer.header_byte(FLAGS) & HAS_LOCATION != 0
    }

    /// Requires the event to be on disk before its caller continues.
    pub(crate) fn set_durable(&mut self) {
        self.flag(IS_DURABLE);
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.buffer.header_byte(FLAGS) & IS_DURABLE != 0
    }

    fn flag(&mut self, flag: u8) {
        self.buffer.header_mut()[FLAGS] |= flag;
    }
}
