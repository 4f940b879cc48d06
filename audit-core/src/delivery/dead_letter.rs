//! Dead letters: events that were rejected for good, kept in memory with the reason.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{Event, EventId};
use crate::sink::Fault;

/// The most dead letters that a recorder keeps in memory; the oldest is dropped first, and stays
/// counted.
const MOST_KEPT: usize = 1_000;
/// The most bytes of dead letters in memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// An event that was rejected for good, with the reason.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    event: Event,
    fault: Fault,
}

impl DeadLetter {
    /// Returns the event, unchanged.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the reason, in the service's words.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    pub(crate) fn new(event: Event, fault: Fault) -> Self {
        Self { event, fault }
    }

    pub(crate) fn into_event(self) -> Event {
        self.event
    }

    /// Returns the event's id.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.event.id()
    }
}

#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    letters: VecDeque<DeadLetter>,
    bytes: usize,
}

impl DeadLetters {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a dead letter, and returns the number of older ones that were dropped for it.
    pub(crate) fn keep(&self, letter: DeadLetter) -> u64 {
        let mut dropped = 0;
        let mut kept = self.kept();
        kept.bytes += letter.event.size();
        kept.letters.push_back(letter);
        while kept.letters.len() > MOST_KEPT || (kept.bytes > MOST_BYTES && kept.letters.len() > 1)
        {
            if let Some(oldest) = kept.letters.pop_front() {
                kept.bytes -= oldest.event.size();
                dropped += 1;
            }
        }
        dropped
    }

    pub(crate) fn list(&self) -> Vec<DeadLetter> {
        self.kept().letters.iter().cloned().collect()
    }

    /// Removes and returns the dead letters with these ids.
    pub(crate) fn take(&self, ids: &HashSet<EventId>) -> Vec<DeadLetter> {
        let mut kept = self.kept();
        let (taken, letters): (VecDeque<DeadLetter>, _) = std::mem::take(&mut kept.letters)
            .into_iter()
            .partition(|letter| ids.contains(&letter.id()));
        kept.letters = letters;
        let taken = Vec::from(taken);
        kept.bytes -= taken
            .iter()
            .map(|letter| letter.event.size())
            .sum::<usize>();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_dead_letter_is_dropped_first() {
        let letters = DeadLetters::default();
        let events: Vec<_> = (0..=MOST_KEPT)
            .map(|_| Event::builder("a").build().unwrap())
            .collect();
        for event in &events {
            letters.keep(DeadLetter::new(event.clone(), Fault::rejected("no")));
        }
        let kept = letters.list();
        assert_eq!(kept.len(), MOST_KEPT);
        assert_eq!(kept[0].id(), events[1].id());

        let two = HashSet::from([events[1].id(), events[2].id(), events[0].id()]);
        assert_eq!(letters.take(&two).len(), 2);
        assert_eq!(letters.list().len(), MOST_KEPT - 2);
        let rest: usize = letters.list().iter().map(|l| l.event.size()).sum();
        assert_eq!(letters.kept().bytes, rest);
    }
}
