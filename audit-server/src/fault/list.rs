//! The pending faults.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::fault::Fault;

/// The number of pending faults; adding one more removes the oldest.
pub(crate) const MAX_FAULTS: usize = 100;

/// Pending faults, in the order in which they were added.
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

    /// Returns the pending faults with their remaining `times`.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().cloned().collect()
    }

    /// Removes all faults and returns their number.
    pub(crate) fn clear(&self) -> usize {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }

    /// Takes one use of the oldest fault that matches the request.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|fault| fault.times > 0);
        let found = list.iter_mut().find(|fault| fault.matches(method, path))?;
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
    fn one_fault_too_many_removes_the_oldest() {
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
