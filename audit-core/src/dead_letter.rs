//! Events that were refused for good, kept with the reason.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::sink::Fault;
use crate::{Event, EventId};

/// How many dead letters a recorder keeps; beyond, the oldest makes room, and stays in the count.
const MOST_KEPT: usize = 1_000;
/// And how many bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// An event that was refused for good, with the reason.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    event: Event,
    fault: Fault,
}

impl DeadLetter {
    /// The event, unchanged.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Why it was refused, in the service's words.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The event's id.
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
    pub(crate) fn keep(&self, event: Event, fault: Fault) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += event.size();
        kept.letters.push_back(DeadLetter { event, fault });
        while kept.letters.len() > MOST_KEPT || (kept.bytes > MOST_BYTES && kept.letters.len() > 1)
        {
            if let Some(oldest) = kept.letters.pop_front() {
                kept.bytes -= oldest.event.size();
            }
        }
    }

    pub(crate) fn list(&self) -> Vec<DeadLetter> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .letters
            .iter()
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let letters = DeadLetters::default();
        let events: Vec<_> = (0..=MOST_KEPT)
            .map(|_| Event::builder("a").build().unwrap())
            .collect();
        for event in &events {
            letters.keep(event.clone(), Fault::rejected("no"));
        }
        let kept = letters.list();
        assert_eq!(kept.len(), MOST_KEPT);
        assert_eq!(kept[0].id(), events[1].id());
    }
}
