//! The count of durable appends, and the attribution of refused ones to the flush barriers that
//! counted them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::telemetry::Counters;

/// The durable appends of this process, in the order of the flush barriers.
///
/// An append counts as soon as the spool has accepted it, so a barrier waits for it. If the disk
/// then refuses it, the barriers that counted it have to stop waiting, and no other: each append
/// belongs to the epoch in which it was counted, and each barrier ends an epoch.
#[derive(Debug, Default)]
pub(crate) struct DurableAppends {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    epoch: u64,
    /// The refused appends by epoch, until the dispatcher takes them. While it does not, there is
    /// no new epoch, so their number is bounded.
    refused: Refused,
}

/// The epoch in which an append was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(u64);

/// The numbers of refused appends, by the epoch in which they had been counted.
pub(super) type Refused = BTreeMap<u64, u64>;

/// The state at a flush barrier.
#[derive(Debug)]
pub(super) struct Mark {
    /// The durable appends that count.
    pub(super) appended: u64,
    /// The epoch that the barrier ended.
    pub(super) epoch: Epoch,
    /// Refused appends, which the new barrier has not counted.
    pub(super) refused: Refused,
}

impl DurableAppends {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an append.
    #[cfg(feature = "spool")]
    pub(crate) fn add(&self, counters: &Counters) -> Epoch {
        let state = self.state();
        counters.appended_durable.add(1);
        Epoch(state.epoch)
    }

    /// Takes an append back, which the disk has refused.
    #[cfg(feature = "spool")]
    pub(crate) fn refuse(&self, counters: &Counters, counted_in: Epoch) {
        let mut state = self.state();
        counters.appended_durable.subtract(1);
        *state.refused.entry(counted_in.0).or_default() += 1;
    }

    /// Ends the epoch, for a new barrier.
    pub(super) fn mark(&self, counters: &Counters) -> Mark {
        let mut state = self.state();
        let epoch = Epoch(state.epoch);
        state.epoch += 1;
        Mark {
            appended: counters.appended_durable.get(),
            epoch,
            refused: std::mem::take(&mut state.refused),
        }
    }

    /// Takes the refused appends that no barrier was informed of.
    pub(super) fn take_refused(&self) -> Refused {
        std::mem::take(&mut self.state().refused)
    }
}

impl Epoch {
    /// Returns `true` if a barrier that ended this epoch counted an append of the other.
    pub(super) fn includes(self, counted_in: u64) -> bool {
        counted_in <= self.0
    }
}

#[cfg(all(test, feature = "spool"))]
mod tests {
    use super::*;

    #[test]
    fn a_refused_append_belongs_to_the_barriers_between_its_count_and_its_refusal() {
        let (appends, counters) = (DurableAppends::default(), Counters::default());
        let before = appends.mark(&counters);
        let counted_in = appends.add(&counters);
        let during = appends.mark(&counters);
        appends.refuse(&counters, counted_in);
        let after = appends.mark(&counters);
        let appended = [&before, &during, &after].map(|mark| mark.appended);
        assert_eq!(appended, [0, 1, 0]);
        // The last barrier passes the refusal on to those before it.
        let refused: Vec<_> = after.refused.into_iter().collect();
        assert_eq!(refused, [(counted_in.0, 1)]);
        assert!(!before.epoch.includes(counted_in.0));
        assert!(during.epoch.includes(counted_in.0));
        assert!(appends.take_refused().is_empty());
    }
}
