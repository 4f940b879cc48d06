//! Coalescing: within a window, the first of several equal events is delivered immediately; the
//! rest are replaced by one event with a `count`, sent when the window closes.
//!
//! A held event keeps its place in the queue, so held events are within the queue's bounds, and at
//! most a quarter of them. Beyond, events are delivered one by one, so that a flood never takes the
//! queue from other events.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::flush_barrier::Origin;
use super::pending_event::PendingEvent;
use crate::catalog::{CoalesceBy, EmbeddedCoalesce};
use crate::event::Event;

/// The most windows that are open at once, if the queue has that many places.
const MAX_WINDOWS: usize = 1_024;
/// The divisor of the queue's places and bytes that may be held.
const SHARE: usize = 4;

/// The key of equal events, as two hashes with secret keys.
///
/// A collision of different events is practically impossible, and a key is small however long the
/// values are.
type Key = [u64; 2];

#[derive(Debug)]
pub(crate) struct Coalescer {
    rules: HashMap<&'static str, EmbeddedCoalesce>,
    most_windows: usize,
    most_bytes: usize,
    /// The bytes of held events.
    bytes: usize,
    hashers: [RandomState; 2],
    /// The open windows, each with its held event once there was a second one.
    windows: HashMap<Key, Option<Held>>,
    ends: BTreeSet<(Instant, Key)>,
}

/// The fate of an event.
#[derive(Debug)]
pub(super) enum Coalesced {
    /// It is to be delivered now.
    Deliver(PendingEvent),
    /// It is held until its window closes.
    Held,
    /// It is held until its window closes, and replaces this one, which has reached its final
    /// state.
    Replaced(PendingEvent),
}

/// The newest event of a window, and the count that it represents.
#[derive(Debug)]
struct Held {
    open: PendingEvent,
    count: u64,
    first_at: SystemTime,
}

impl Coalescer {
    /// Returns a coalescer with the rules of actions, for a queue of that many places and bytes.
    pub(crate) fn new(
        rules: HashMap<&'static str, EmbeddedCoalesce>,
        capacity: usize,
        max_bytes: usize,
    ) -> Self {
        Self {
            rules,
            most_windows: (capacity / SHARE).min(MAX_WINDOWS),
            most_bytes: max_bytes / SHARE,
            bytes: 0,
            hashers: Default::default(),
            windows: HashMap::new(),
            ends: BTreeSet::new(),
        }
    }

    pub(super) fn take(&mut self, mut open: PendingEvent, now: Instant) -> Coalesced {
        let Some((key, size, rule)) = self.key(&open) else {
            return Coalesced::Deliver(open);
        };
        let Some(window) = self.windows.get_mut(&key) else {
            if self.windows.len() < self.most_windows {
                self.windows.insert(key, None);
                self.ends.insert((now + rule.window(), key));
            }
            return Coalesced::Deliver(open);
        };
        let before = window.as_ref().map_or(0, Held::size);
        let bytes = self.bytes - before + size;
        if bytes > self.most_bytes {
            return Coalesced::Deliver(open);
        }
        self.bytes = bytes;
        match window {
            Some(held) => {
                // A flush that waits for the older event now waits for its replacement.
                std::mem::swap(&mut open.origin, &mut held.open.origin);
                held.count += 1;
                held.first_at = held.first_at.min(open.event.occurred_at());
                Coalesced::Replaced(std::mem::replace(&mut held.open, open))
            }
            None => {
                *window = Some(Held {
                    first_at: open.event.occurred_at(),
                    count: 1,
                    open,
                });
                Coalesced::Held
            }
        }
    }

    /// Returns the end of the next window.
    pub(super) fn due(&self) -> Option<Instant> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Closes the windows that are over, and returns the events to deliver now.
    pub(super) fn end_due(&mut self, now: Instant) -> Vec<PendingEvent> {
        let mut ended = Vec::new();
        while let Some(&(end, key)) = self.ends.first()
            && end <= now
        {
            self.ends.pop_first();
            ended.extend(self.windows.remove(&key).flatten());
        }
        self.finish(ended)
    }

    /// Returns the held events that a flush waits for, to be delivered now. Their windows stay
    /// open.
    pub(super) fn release(&mut self, is_awaited: impl Fn(Origin) -> bool) -> Vec<PendingEvent> {
        let windows = self.windows.values_mut();
        let awaited =
            windows.filter_map(|window| window.take_if(|held| is_awaited(held.open.origin)));
        let awaited = awaited.collect();
        self.finish(awaited)
    }

    /// Returns the event with the count that it represents.
    fn finish(&mut self, held: Vec<Held>) -> Vec<PendingEvent> {
        self.bytes -= held.iter().map(Held::size).sum::<usize>();
        held.into_iter().map(Held::finish).collect()
    }

    /// Returns the number of held events.
    pub(super) fn held(&self) -> usize {
        self.windows.values().flatten().count()
    }

    /// Returns the key of an event, its size and its rule, if it may be held.
    fn key(&self, open: &PendingEvent) -> Option<(Key, usize, EmbeddedCoalesce)> {
        let event = &*open.event;
        let rule = *self.rules.get(event.action())?;
        // An event from the spool has no size in the queue.
        let size = open.size?;
        if event.is_durable() || event.is_coalesced() {
            return None;
        }
        let alike = Comparable { event, rule };
        let key = self.hashers.each_ref().map(|state| state.hash_one(&alike));
        Some((key, size, rule))
    }
}

impl Held {
    fn size(&self) -> usize {
        self.open.size.unwrap_or_default()
    }

    /// Returns the event with the count that it represents.
    fn finish(self) -> PendingEvent {
        let Self {
            mut open,
            count,
            first_at,
        } = self;
        if count > 1 {
            Arc::make_mut(&mut open.event).represent(count, first_at);
        }
        open
    }
}

/// An event as its rule compares it.
struct Comparable<'a> {
    event: &'a Event,
    rule: EmbeddedCoalesce,
}

impl Hash for Comparable<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let event = self.event;
        event.action().hash(state);
        event.organization().hash(state);
        for by in self.rule.by() {
            match by {
                CoalesceBy::Actor => {
                    let actor = event.actor();
                    let named = actor
                        .as_ref()
                        .map(|actor| (actor.kind().as_str(), actor.id()));
                    named.hash(state);
                }
                CoalesceBy::Target => {
                    for target in event.targets() {
                        state.write_u8(1);
                        (target.kind(), target.id()).hash(state);
                    }
                    state.write_u8(0);
                }
                CoalesceBy::Location => event.location().hash(state),
                CoalesceBy::Outcome => state.write_u8(event.outcome().to_byte()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flush_waits_for_the_coalesced_replacement() {
        let rule = EmbeddedCoalesce::new(&[CoalesceBy::Actor], 60);
        let mut coalescer = Coalescer::new(HashMap::from([("a", rule)]), 100, 1_000_000);
        let now = Instant::now();
        let mut take = |number| {
            let event = Event::builder("a").build().unwrap();
            coalescer.take(PendingEvent::new(event, number, now), now)
        };
        assert!(matches!(take(0), Coalesced::Deliver(_)));
        assert!(matches!(take(1), Coalesced::Held));
        let Coalesced::Replaced(older) = take(2) else {
            panic!("the second that is held takes the origin of the first")
        };
        assert_eq!(older.origin, Origin::Queue(2));
        // A flush barrier between the two.
        let awaited = coalescer.release(|origin| origin == Origin::Queue(1));
        assert_eq!(awaited.len(), 1);
        assert_eq!((coalescer.held(), coalescer.bytes), (0, 0));
    }
}
