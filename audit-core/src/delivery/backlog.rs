//! Which event goes next: durable ones before the others, and of each kind organizations take
//! turns, so that a noisy one delays the others by one turn and no more.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::attempt::Open;
use super::disk::Guarantee;
use super::fence::Place;

/// Events that have been fetched and wait for an attempt, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Those that may go at once: what this process or an earlier one promised to keep on the disk,
    /// and all others, which go when there is none of the former.
    durable: Lines,
    others: Lines,
    /// Those that wait for their moment.
    parked: BTreeSet<(Instant, u64)>,
}

impl Backlog {
    pub(super) fn add(&mut self, open: &Open, number: u64) {
        self.lines(open).add(organization(open), number);
    }

    /// Puts an event to the head of its line, and the line to the head of the turns.
    pub(super) fn add_first(&mut self, open: &Open, number: u64) {
        self.lines(open).add_first(organization(open), number);
    }

    fn lines(&mut self, open: &Open) -> &mut Lines {
        match open.place {
            Place::Spool(Guarantee::Durable, _) | Place::Recovered(Guarantee::Durable) => {
                &mut self.durable
            }
            _ => &mut self.others,
        }
    }

    pub(super) fn park(&mut self, until: Instant, number: u64) {
        self.parked.insert((until, number));
    }

    /// The event whose turn it is among those that may go at once.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.durable.next().or_else(|| self.others.next())
    }

    /// Whether an event may go at once, parked ones aside.
    pub(super) fn has_next(&self) -> bool {
        !(self.durable.turns.is_empty() && self.others.turns.is_empty())
    }

    /// When the next parked event is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.parked.first().map(|(due, _)| *due)
    }

    /// The parked event that is due, if one is.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<u64> {
        let (due, number) = *self.parked.first()?;
        (due <= now).then(|| {
            self.parked.pop_first();
            number
        })
    }

    /// The parked event whose moment comes first, due or not.
    pub(super) fn next_parked(&mut self) -> Option<u64> {
        self.parked.pop_first().map(|(_, number)| number)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn organization(open: &Open) -> &str {
    open.event.organization().unwrap_or_default()
}

/// Lines of which each has its turn.
#[derive(Debug, Default)]
struct Lines {
    /// By organization, first in, first out.
    lines: HashMap<Arc<str>, VecDeque<u64>>,
    /// Whose turn comes when. An organization is here once while its line is not empty.
    turns: VecDeque<Arc<str>>,
}

impl Lines {
    fn add(&mut self, organization: &str, number: u64) {
        if let Some(line) = self.lines.get_mut(organization) {
            line.push_back(number);
            return;
        }
        let organization: Arc<str> = organization.into();
        self.turns.push_back(Arc::clone(&organization));
        self.lines.insert(organization, VecDeque::from([number]));
    }

    fn add_first(&mut self, organization: &str, number: u64) {
        let place = self.turns.iter().position(|turn| &**turn == organization);
        let organization = place
            .and_then(|place| self.turns.remove(place))
            .unwrap_or_else(|| organization.into());
        self.turns.push_front(Arc::clone(&organization));
        self.lines
            .entry(organization)
            .or_default()
            .push_front(number);
    }

    fn next(&mut self) -> Option<u64> {
        while let Some(organization) = self.turns.pop_front() {
            let Some(line) = self.lines.get_mut(&organization) else {
                continue;
            };
            let number = line.pop_front();
            if line.is_empty() {
                self.lines.remove(&organization);
            } else {
                self.turns.push_back(organization);
            }
            if number.is_some() {
                return number;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_take_turns_and_each_keeps_its_order() {
        let mut backlog = Lines::default();
        for (organization, number) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5), ("c", 6)] {
            backlog.add(organization, number);
        }
        let order: Vec<_> = std::iter::from_fn(|| backlog.next()).collect();
        assert_eq!(order, [1, 4, 6, 2, 5, 3]);
        assert!(backlog.turns.is_empty() && backlog.lines.is_empty());
    }

    #[test]
    fn a_parked_event_comes_at_its_moment() {
        let mut backlog = Backlog::default();
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(1);
        backlog.park(later, 1);
        backlog.park(now, 2);
        assert_eq!(backlog.next_due(now), Some(2));
        assert_eq!((backlog.next_due(now), backlog.due()), (None, Some(later)));
        assert_eq!(backlog.next_due(later), Some(1));
    }
}
