//! The faults that are still to come.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::fault::Fault;

/// How many faults wait at once; the oldest makes way for one more.
pub(crate) const MAX_FAULTS: usize = 100;

/// In the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct FaultList(Mutex<VecDeque<Fault>>);

impl FaultList {
    pub(crate) fn add(&self, fault: Fault) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MAX_FAULTS {
            list.pop_front();
        }
        list.push_back(fault);
    }

    /// Those that are left, with the times that are left.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().cloned().collect()
    }

    /// Forgets all, and answers how many there were.
    pub(crate) fn clear(&self) -> usize {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }

    /// The oldest that fits the request, used up by one.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|fault| fault.times > 0);
        let found = list.iter_mut().find(|fault| fault.fits(method, path))?;
        found.times -= 1;
        let taken = found.clone();
        list.retain(|fault| fault.times > 0);
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::fault::Effect;

    #[test]
    fn faults_are_used_up_oldest_first() {
        let faults = FaultList::default();
        faults.add(Fault::status(500).times(2).on("GET", "/a"));
        faults.add(Fault::status(501));
        faults.add(Fault::status(502).times(0));
        let take = |path| {
            faults.take("GET", path).map(|fault| match fault.effect {
                Effect::Status { status, .. } => status,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(
            [take("/a"), take("/b"), take("/a"), take("/a")],
            [Some(500), Some(501), Some(500), None]
        );
        assert!(faults.list().is_empty());
    }

    #[test]
    fn the_oldest_makes_way_for_one_too_many() {
        let faults = FaultList::default();
        for status in 0..=MAX_FAULTS {
            faults.add(Fault::status(u16::try_from(status).unwrap()));
        }
        let list = faults.list();
        assert_eq!((list.len(), &list[0]), (MAX_FAULTS, &Fault::status(1)));
        assert_eq!(faults.clear(), MAX_FAULTS);
        assert!(faults.list().is_empty());
    }
}
