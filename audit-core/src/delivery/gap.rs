//! Gaps in the trail: events that were refused and dropped, reported as one event once there is
//! room.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog::Action;
use crate::event::{Actor, Event, Outcome, Target, from_millis, now_millis};

/// The most organizations with a gap of their own; events of further ones are only counted.
const MOST_ORGANIZATIONS: usize = 1_024;
/// The type of a gap event's one target, whose id is the organization.
pub(crate) const TARGET: &str = "audit_log";

/// The gaps since they were last reported, by organization.
#[derive(Debug)]
pub(crate) struct Gaps {
    /// The action of a gap event; `None` if gaps are only counted.
    action: Option<Action>,
    open: Mutex<HashMap<String, Gap>>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    count: u64,
    first: u64,
    last: u64,
}

impl Gaps {
    pub(crate) fn new(action: Option<Action>) -> Self {
        Self {
            action,
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Gap>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event that was refused and dropped.
    pub(crate) fn add(&self, event: &Event) {
        if self.action.is_none() {
            return;
        }
        let organization = event.organization().unwrap_or_default();
        let mut open = self.open();
        let now = now_millis();
        if let Some(gap) = open.get_mut(organization) {
            gap.count += 1;
            gap.last = now.max(gap.last);
        } else if open.len() < MOST_ORGANIZATIONS {
            let gap = Gap {
                count: 1,
                first: now,
                last: now,
            };
            open.insert(organization.to_owned(), gap);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open().is_empty()
    }

    /// Passes one event per gap to `take`; gaps that it refuses are kept.
    pub(crate) fn report(&self, mut take: impl FnMut(Event) -> bool) {
        let Some(action) = self.action else { return };
        // `take` may run user code, so the lock is not held meanwhile.
        let gaps = std::mem::take(&mut *self.open());
        for (organization, gap) in gaps {
            let reported = event(action, &organization, gap).is_some_and(&mut take);
            if !reported {
                let mut open = self.open();
                open.entry(organization)
                    .and_modify(|newer| {
                        newer.count += gap.count;
                        newer.first = newer.first.min(gap.first);
                    })
                    .or_insert(gap);
            }
        }
    }
}

/// Returns the event of a gap, with the time of the last dropped event.
fn event(action: Action, organization: &str, gap: Gap) -> Option<Event> {
    let mut event = Event::builder(action)
        .occurred_at(from_millis(gap.last))
        .actor(Actor::system())
        .target(Target::new(TARGET, organization))
        .outcome(Outcome::Failed)
        .build()
        .ok()?;
    event.represent(gap.count, from_millis(gap.first));
    if !organization.is_empty() {
        event.set_organization(|out| out.push_str(organization));
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Action = Action::checked("audit.gap");

    fn dropped(organization: &str) -> Event {
        let event = Event::builder("a").organization(organization);
        event.build().unwrap()
    }

    #[test]
    fn each_organization_has_one_gap_with_its_count() {
        let gaps = Gaps::new(Some(GAP));
        for organization in ["o1", "o2", "o1", "o1"] {
            gaps.add(&dropped(organization));
        }
        let mut reported = Vec::new();
        gaps.report(|event| {
            let count = event.metadata_value("count").map(|count| count.to_string());
            reported.push((event.organization().map(str::to_owned), count));
            true
        });
        reported.sort();
        let reported: Vec<_> = reported
            .iter()
            .map(|(o, c)| (o.as_deref(), c.as_deref()))
            .collect();
        assert_eq!(reported, [(Some("o1"), Some("3")), (Some("o2"), Some("1"))]);
        assert!(gaps.is_empty());
    }

    #[test]
    fn a_refused_gap_event_is_reported_again() {
        let gaps = Gaps::new(Some(GAP));
        gaps.add(&dropped("o1"));
        gaps.report(|_| false);
        gaps.add(&dropped("o1"));
        let mut counts = Vec::new();
        gaps.report(|event| {
            counts.push(event.metadata_value("count").map(|count| count.to_string()));
            true
        });
        assert_eq!(counts, [Some("2".to_owned())]);
    }
}
