//! The order of delivery: durable events first, and within each kind organizations in turn
//! (round-robin), so that a busy one delays the others by one turn and no more.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::disk::Guarantee;
use super::flush_barrier::Origin;
use super::pending_event::PendingEvent;

/// The events that wait for an attempt, by sequence number.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    /// The events that may be sent now: durable ones, and the others, which are sent when there are
    /// none.
    durable: FairQueue,
    others: FairQueue,
    /// The events that wait for their time.
    delayed: BTreeSet<(Instant, u64)>,
}

impl ReadyQueue {
    pub(super) fn add(&mut self, open: &PendingEvent, number: u64) {
        self.queues(open).add(organization(open), number);
    }

    fn queues(&mut self, open: &PendingEvent) -> &mut FairQueue {
        match open.origin {
            Origin::Spool(Guarantee::Durable, _) | Origin::Recovered(Guarantee::Durable) => {
                &mut self.durable
            }
            _ => &mut self.others,
        }
    }

    pub(super) fn delay(&mut self, until: Instant, number: u64) {
        self.delayed.insert((until, number));
    }

    /// Returns the next event that may be sent now.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.durable.next().or_else(|| self.others.next())
    }

    /// Returns whether an event may be sent now, apart from delayed ones.
    pub(super) fn has_next(&self) -> bool {
        !(self.durable.round_robin.is_empty() && self.others.round_robin.is_empty())
    }

    /// Returns the time of the next delayed event.
    pub(super) fn due(&self) -> Option<Instant> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// Returns the next delayed event, if it is due.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<u64> {
        let (due, number) = *self.delayed.first()?;
        (due <= now).then(|| {
            self.delayed.pop_first();
            number
        })
    }

    /// Returns the next delayed event, if it is due, and leaves it in place.
    pub(super) fn due_now(&self, now: Instant) -> Option<u64> {
        let (due, number) = *self.delayed.first()?;
        (due <= now).then_some(number)
    }

    /// Returns the event with the lowest rank, delayed or not, and leaves it in place. Of several
    /// the newest is returned, and a delayed one only if no other has a rank.
    pub(super) fn best(&self, rank: impl Fn(u64) -> Option<u8>) -> Option<u64> {
        let ready = self.durable.iter().chain(self.others.iter());
        let best = |numbers: &mut dyn Iterator<Item = u64>| {
            numbers
                .filter_map(|number| Some((rank(number)?, std::cmp::Reverse(number))))
                .min()
                .map(|(_, std::cmp::Reverse(number))| number)
        };
        best(&mut { ready }).or_else(|| best(&mut self.delayed.iter().map(|(_, number)| *number)))
    }

    /// Removes an event, wherever it waits, and returns its number.
    pub(super) fn take(&mut self, number: u64) -> u64 {
        if !self.durable.remove(number) && !self.others.remove(number) {
            self.delayed.retain(|(_, delayed)| *delayed != number);
        }
        number
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn organization(open: &PendingEvent) -> &str {
    open.event.organization().unwrap_or_default()
}

/// One queue per organization, served in turn.
#[derive(Debug, Default)]
struct FairQueue {
    /// The queues by organization, first in, first out.
    queues: HashMap<Arc<str>, VecDeque<u64>>,
    /// The order of the organizations. Each occurs once while its queue is not empty.
    round_robin: VecDeque<Arc<str>>,
}

impl FairQueue {
    fn add(&mut self, organization: &str, number: u64) {
        if let Some(queue) = self.queues.get_mut(organization) {
            queue.push_back(number);
            return;
        }
        let organization: Arc<str> = organization.into();
        self.round_robin.push_back(Arc::clone(&organization));
        self.queues.insert(organization, VecDeque::from([number]));
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.queues.values().flatten().copied()
    }

    /// Removes an event; returns whether it was there.
    fn remove(&mut self, number: u64) -> bool {
        for queue in self.queues.values_mut() {
            if let Some(at) = queue.iter().position(|waiting| *waiting == number) {
                // An empty queue is removed at its turn.
                queue.remove(at);
                return true;
            }
        }
        false
    }

    fn next(&mut self) -> Option<u64> {
        while let Some(organization) = self.round_robin.pop_front() {
            let Some(queue) = self.queues.get_mut(&organization) else {
                continue;
            };
            let number = queue.pop_front();
            if queue.is_empty() {
                self.queues.remove(&organization);
            } else {
                self.round_robin.push_back(organization);
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
        let mut queue = FairQueue::default();
        for (organization, number) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5), ("c", 6)] {
            queue.add(organization, number);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order, [1, 4, 6, 2, 5, 3]);
        assert!(queue.round_robin.is_empty() && queue.queues.is_empty());
    }

    #[test]
    fn a_delayed_event_is_returned_when_it_is_due() {
        let mut queue = ReadyQueue::default();
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(1);
        queue.delay(later, 1);
        queue.delay(now, 2);
        assert_eq!(queue.next_due(now), Some(2));
        assert_eq!((queue.next_due(now), queue.due()), (None, Some(later)));
        assert_eq!(queue.next_due(later), Some(1));
    }
}
