//! Floods: of alike events within a window the first goes at once, and the newest of the others stands for all of them at its end.
//!
//! Nothing here knows of queues or counts. An event that is held keeps its place in the queue, so what is held is within the
//! queue's bounds.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::time::SystemTime;

use tokio::time::Instant;

use super::attempt::Open;
use super::fence::Place;
use crate::{CoalesceBy, EmbeddedCoalesce, Event};

/// How many windows are open at once. Beyond, events go singly.
const MOST_WINDOWS: usize = 1_024;

/// What alike events have in common, as two hashes whose keys nobody outside knows: two of a kind that are not alike are as good
/// as impossible, and a key is small however long the names in it are.
type Key = [u64; 2];

#[derive(Debug, Default)]
pub(crate) struct Coalescer {
    rules: HashMap<&'static str, EmbeddedCoalesce>,
    hashers: [RandomState; 2],
    /// What each holds, once there was a second event.
    windows: HashMap<Key, Option<Held>>,
    ends: BTreeSet<(Instant, Key)>,
}

/// What came of an event.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is to be delivered now.
    Goes(Open),
    /// It waits for its window's end.
    Held,
    /// It waits for its window's end in the place of this one, which has come to its end.
    Instead(Open),
}

/// The newest event of a window, and for how many it stands.
#[derive(Debug)]
struct Held {
    open: Open,
    count: u64,
    first_at: SystemTime,
}

impl Coalescer {
    /// By the rules of actions.
    pub(crate) fn new(rules: HashMap<&'static str, EmbeddedCoalesce>) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self, mut open: Open, now: Instant) -> Taken {
        let Some((key, rule)) = self.key(&open) else {
            return Taken::Goes(open);
        };
        let Some(window) = self.windows.get_mut(&key) else {
            if self.windows.len() < MOST_WINDOWS {
                self.windows.insert(key, None);
                self.ends.insert((now + rule.window(), key));
            }
            return Taken::Goes(open);
        };
        match window {
            Some(held) => {
                // Whoever waits for the older one now waits for the newer one, which stands for it.
                std::mem::swap(&mut open.place, &mut held.open.place);
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
    pub(super) fn end_due(&mut self, now: Instant) -> Vec<Open> {
        let mut goes = Vec::new();
        while let Some(&(end, key)) = self.ends.first()
            && end <= now
        {
            self.ends.pop_first();
            let held = self.windows.remove(&key).flatten();
            goes.extend(held.map(Held::finish));
        }
        goes
    }

    /// What is held in the places that somebody waits for is to be delivered now. The windows stay.
    pub(super) fn release(&mut self, is_awaited: impl Fn(Place) -> bool) -> Vec<Open> {
        let windows = self.windows.values_mut();
        let awaited = windows.filter_map(|window| {
            let held = window.take_if(|held| is_awaited(held.open.place));
            held.map(Held::finish)
        });
        awaited.collect()
    }

    /// How many events are held.
    pub(super) fn held(&self) -> usize {
        self.windows.values().flatten().count()
    }

    /// What the event has in common with those that are alike, if it may be held at all.
    fn key(&self, open: &Open) -> Option<(Key, EmbeddedCoalesce)> {
        let event = &*open.event;
        let rule = *self.rules.get(event.action())?;
        let goes_singly = open.size.is_none() || event.is_durable() || event.stands_for_others();
        if goes_singly {
            return None;
        }
        let mut hashes = Hashes(self.hashers.each_ref().map(BuildHasher::build_hasher));
        hash(event, &rule, &mut hashes);
        Some((hashes.0.map(|hash| hash.finish()), rule))
    }
}

/// Two hashes in one pass.
struct Hashes([DefaultHasher; 2]);

impl Hasher for Hashes {
    fn write(&mut self, bytes: &[u8]) {
        for hash in &mut self.0 {
            hash.write(bytes);
        }
    }

    /// Of the first.
    fn finish(&self) -> u64 {
        self.0[0].finish()
    }
}

impl Held {
    /// The event with what it stands for.
    fn finish(self) -> Open {
        let Self {
            mut open,
            count,
            first_at,
        } = self;
        if count > 1 {
            std::sync::Arc::make_mut(&mut open.event).stand_for(count, first_at);
        }
        open
    }
}

fn hash(event: &Event, rule: &EmbeddedCoalesce, state: &mut impl Hasher) {
    event.action().hash(state);
    event.organization().hash(state);
    for by in rule.by() {
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
