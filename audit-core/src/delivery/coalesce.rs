//! Floods: of alike events within a window the first goes at once, and the newest of the others
//! stands for all of them at its end.
//!
//! An event that is held keeps its origin in the queue, so what is held is within the queue's
//! bounds, and at most a quarter of them: beyond, events go singly, so that a flood never takes the
//! queue from others.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::flush_barrier::Origin;
use super::pending_event::PendingEvent;
use crate::catalog::{CoalesceBy, EmbeddedCoalesce};
use crate::event::Event;

/// How many windows are open at once, in a queue that has so many places at all.
const MOST_WINDOWS: usize = 1_024;
/// Which part of the queue's places and bytes may be held.
const SHARE: usize = 4;

/// What alike events have in common, as two hashes whose keys nobody outside knows: two of a kind
/// that are not alike are as good as impossible, and a key is small however long the names in it
/// are.
type Key = [u64; 2];

#[derive(Debug)]
pub(crate) struct Coalescer {
    rules: HashMap<&'static str, EmbeddedCoalesce>,
    most_windows: usize,
    most_bytes: usize,
    /// The bytes of what is held.
    bytes: usize,
    hashers: [RandomState; 2],
    /// What each holds, once there was a second event.
    windows: HashMap<Key, Option<Held>>,
    ends: BTreeSet<(Instant, Key)>,
}

/// What came of an event.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is to be delivered now.
    Goes(PendingEvent),
    /// It waits for its window's end.
    Held,
    /// It waits for its window's end in the origin of this one, which has come to its end.
    Instead(PendingEvent),
}

/// The newest event of a window, and for how many it stands.
#[derive(Debug)]
struct Held {
    open: PendingEvent,
    count: u64,
    first_at: SystemTime,
}

impl Coalescer {
    /// By the rules of actions, beside a queue of that many places and bytes.
    pub(crate) fn new(
        rules: HashMap<&'static str, EmbeddedCoalesce>,
        capacity: usize,
        max_bytes: usize,
    ) -> Self {
        Self {
            rules,
            most_windows: (capacity / SHARE).min(MOST_WINDOWS),
            most_bytes: max_bytes / SHARE,
            bytes: 0,
            hashers: Default::default(),
            windows: HashMap::new(),
            ends: BTreeSet::new(),
        }
    }

    pub(super) fn take(&mut self, mut open: PendingEvent, now: Instant) -> Taken {
        let Some((key, size, rule)) = self.key(&open) else {
            return Taken::Goes(open);
        };
        let Some(window) = self.windows.get_mut(&key) else {
            if self.windows.len() < self.most_windows {
                self.windows.insert(key, None);
                self.ends.insert((now + rule.window(), key));
            }
            return Taken::Goes(open);
        };
        let before = window.as_ref().map_or(0, Held::size);
        let bytes = self.bytes - before + size;
        if bytes > self.most_bytes {
            return Taken::Goes(open);
        }
        self.bytes = bytes;
        match window {
            Some(held) => {
                // Whoever waits for the older one now waits for the newer one, which stands for it.
                std::mem::swap(&mut open.origin, &mut held.open.origin);
                held.count += 1;
                held.first_at = held.first_at.min(open.event.occurred_at());
                Taken::Instead(std::mem::replace(&mut held.open, open))
            }
            None => {
                *window = Some(Held {
                    first_at: open.event.occurred_at(),
                    count: 1,
                    open,
                });
                Taken::Held
            }
        }
    }

    /// When the next window ends.
    pub(super) fn due(&self) -> Option<Instant> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Ends the windows whose time has come; what they held is to be delivered now.
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

    /// What is held in the places that somebody waits for is to be delivered now. The windows stay.
    pub(super) fn release(&mut self, is_awaited: impl Fn(Origin) -> bool) -> Vec<PendingEvent> {
        let windows = self.windows.values_mut();
        let awaited =
            windows.filter_map(|window| window.take_if(|held| is_awaited(held.open.origin)));
        let awaited = awaited.collect();
        self.finish(awaited)
    }

    fn finish(&mut self, held: Vec<Held>) -> Vec<PendingEvent> {
        self.bytes -= held.iter().map(Held::size).sum::<usize>();
        held.into_iter().map(Held::finish).collect()
    }

    /// How many events are held.
    pub(super) fn held(&self) -> usize {
        self.windows.values().flatten().count()
    }

    /// What the event has in common with those that are alike, and its size, if it may be held at
    /// all.
    fn key(&self, open: &PendingEvent) -> Option<(Key, usize, EmbeddedCoalesce)> {
        let event = &*open.event;
        let rule = *self.rules.get(event.action())?;
        // What comes from the spool has no size in the queue.
        let size = open.size?;
        if event.is_durable() || event.is_coalesced() {
            return None;
        }
        let alike = Alike { event, rule };
        let key = self.hashers.each_ref().map(|state| state.hash_one(&alike));
        Some((key, size, rule))
    }
}

impl Held {
    fn size(&self) -> usize {
        self.open.size.unwrap_or_default()
    }

    /// The event with what it stands for.
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

/// An event as its rule sees it.
struct Alike<'a> {
    event: &'a Event,
    rule: EmbeddedCoalesce,
}

impl Hash for Alike<'_> {
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
    fn who_waits_for_an_event_waits_for_the_newer_one_that_stands_for_it() {
        let rule = EmbeddedCoalesce::new(&[CoalesceBy::Actor], 60);
        let mut coalescer = Coalescer::new(HashMap::from([("a", rule)]), 100, 1_000_000);
        let now = Instant::now();
        let mut take = |number| {
            let event = Event::builder("a").build().unwrap();
            coalescer.take(PendingEvent::new(event, number, now), now)
        };
        assert!(matches!(take(0), Taken::Goes(_)));
        assert!(matches!(take(1), Taken::Held));
        let Taken::Instead(older) = take(2) else {
            panic!("the second that is held takes the origin of the first")
        };
        assert_eq!(older.origin, Origin::Queue(2));
        // A fence between the two.
        let awaited = coalescer.release(|origin| origin == Origin::Queue(1));
        assert_eq!(awaited.len(), 1);
        assert_eq!((coalescer.held(), coalescer.bytes), (0, 0));
    }
}
