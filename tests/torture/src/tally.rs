//! The totals of all rounds, and the summary line.

use std::collections::BTreeMap;

use crate::ledger::Outcome;
use crate::round::Kind;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    rounds: u32,
    kinds: BTreeMap<&'static str, u32>,
    acknowledged: u64,
    arrived: u64,
    destroyed: u64,
    counted: u64,
    lost: u64,
    failed: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, kind: Kind, outcome: &Outcome) {
        self.rounds += 1;
        *self.kinds.entry(kind.name()).or_default() += 1;
        self.acknowledged += outcome.acknowledged;
        self.arrived += outcome.arrived;
        self.destroyed += outcome.destroyed;
        self.counted += outcome.counted;
        self.lost += outcome.lost;
        self.failed += u32::from(!outcome.problems.is_empty());
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.lost == 0 && self.failed == 0
    }

    pub(crate) fn line(&self) -> String {
        let kinds: Vec<_> = self
            .kinds
            .iter()
            .map(|(kind, rounds)| format!("{kind} {rounds}"))
            .collect();
        let failed = match self.failed {
            0 => String::new(),
            failed => format!("failed {failed}, "),
        };
        format!(
            "torture: {} rounds, kinds ({}), acknowledged {}, arrived {}, destroyed on disk by the test {} (counted {}), {failed}lost {}",
            self.rounds,
            kinds.join(", "),
            self.acknowledged,
            self.arrived,
            self.destroyed,
            self.counted,
            self.lost
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_with_a_problem_is_not_clean_even_without_loss() {
        let mut tally = Tally::default();
        tally.add(Kind::Kill, &Outcome::default());
        assert!(tally.is_clean());
        let problems = vec!["an event arrived twice".to_owned()];
        tally.add(
            Kind::Kill,
            &Outcome {
                problems,
                ..Outcome::default()
            },
        );
        assert!(!tally.is_clean());
        assert!(
            tally.line().ends_with("failed 1, lost 0"),
            "{}",
            tally.line()
        );
    }
}
