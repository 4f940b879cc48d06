//! What the processes of one round said, and the comparison with what arrived.

use std::collections::{BTreeMap, BTreeSet};

/// What the processes said.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Events that were about to be recorded.
    pub(crate) tried: BTreeSet<String>,
    /// Events of which it was said that they are on the disk.
    pub(crate) acknowledged: BTreeSet<String>,
    /// Events of which it was said that they are not, and will not be.
    pub(crate) refused: BTreeSet<String>,
    /// The ledgers of the processes that came to their own end.
    pub(crate) ends: Vec<End>,
}

/// The ledger of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct End(BTreeMap<String, u64>);

impl End {
    pub(crate) fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| format!("{name}={count}"))
            .collect();
        f.write_str(&counts.join(" "))
    }
}

/// What became of the events of a round.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) acknowledged: u64,
    pub(crate) arrived: u64,
    /// Acknowledged, and gone with the bytes that the round itself destroyed.
    pub(crate) destroyed: u64,
    /// Of those, the ones that the spool noticed and counted.
    pub(crate) counted: u64,
    /// Acknowledged, and not there, for no such reason.
    pub(crate) lost: u64,
    /// Everything that must not be, in words.
    pub(crate) problems: Vec<String>,
}

impl Ledger {
    /// Takes in a line that a process said.
    pub(crate) fn hear(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("try"), Some(serial)) => drop(self.tried.insert(serial.to_owned())),
            (Some("ack"), Some(serial)) => drop(self.acknowledged.insert(serial.to_owned())),
            (Some("refused"), Some(serial)) => drop(self.refused.insert(serial.to_owned())),
            (Some("ledger"), Some(first)) => {
                let counts = std::iter::once(first).chain(words).filter_map(|word| {
                    let (name, count) = word.split_once('=')?;
                    Some((name.to_owned(), count.parse().ok()?))
                });
                self.ends.push(End(counts.collect()));
            }
            _ => {}
        }
    }

    /// Compares it with the events that the server has, each as often as it has it.
    pub(crate) fn compare(&self, arrived: &[String], destroys: bool) -> Outcome {
        let mut problems = Vec::new();
        let there: BTreeSet<&str> = arrived.iter().map(String::as_str).collect();
        if there.len() < arrived.len() {
            problems.push(format!(
                "{} events are there twice",
                arrived.len() - there.len()
            ));
        }
        let invented = there
            .iter()
            .filter(|serial| !self.tried.contains(**serial))
            .count();
        if invented > 0 {
            problems.push(format!("{invented} events are there that nobody recorded"));
        }
        let refused: Vec<_> = self
            .refused
            .iter()
            .filter(|serial| there.contains(serial.as_str()))
            .collect();
        // A spool that was made anew may find again what a failed transaction had left in a page
        // that was damaged since.
        if !destroys && !refused.is_empty() {
            problems.push(format!(
                "{} events are there that were refused, as {}",
                refused.len(),
                refused[0]
            ));
        }
        for end in self.ends.iter().filter(|end| end.get("balanced") != 1) {
            problems.push(format!("a ledger does not balance: {end}"));
        }
        let missing = self
            .acknowledged
            .iter()
            .filter(|serial| !there.contains(serial.as_str()));
        let missing: Vec<_> = missing.collect();
        let gone = missing.len() as u64;
        let (destroyed, lost) = if destroys { (gone, 0) } else { (0, gone) };
        if let (Some(first), false) = (missing.first(), destroys) {
            problems.push(format!(
                "{lost} acknowledged events are not there, as {first}"
            ));
        }
        // Damage stands in the file's own count from then on; what was lost is each process's own.
        let lost_by_processes: u64 = self.ends.iter().map(|end| end.get("lost")).sum();
        let damaged = self
            .ends
            .iter()
            .map(|end| end.get("damaged"))
            .max()
            .unwrap_or_default();
        Outcome {
            acknowledged: self.acknowledged.len() as u64,
            arrived: there.len() as u64,
            destroyed,
            counted: destroyed.min(lost_by_processes + damaged),
            lost,
            problems,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lines: &[&str]) -> Ledger {
        let mut ledger = Ledger::default();
        lines.iter().for_each(|line| ledger.hear(line));
        ledger
    }

    fn arrived(serials: &[&str]) -> Vec<String> {
        serials.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_acknowledged_event_that_is_not_there_is_lost_unless_the_round_destroyed_bytes() {
        let ledger = ledger(&[
            "try a",
            "ack a",
            "try b",
            "ack b",
            "ledger balanced=1 damaged=1 lost=0",
        ]);
        let outcome = ledger.compare(&arrived(&["a"]), false);
        assert_eq!(
            (outcome.lost, outcome.destroyed, outcome.problems.len()),
            (1, 0, 1)
        );
        let outcome = ledger.compare(&arrived(&["a"]), true);
        assert_eq!(
            (outcome.lost, outcome.destroyed, outcome.counted),
            (0, 1, 1)
        );
        assert!(outcome.problems.is_empty());
    }

    #[test]
    fn doubles_inventions_refused_events_and_ledgers_that_do_not_balance_are_problems() {
        let ledger = ledger(&[
            "try a",
            "ack a",
            "try b",
            "refused b disk full",
            "ledger balanced=0",
        ]);
        let outcome = ledger.compare(&arrived(&["a", "a", "b", "c"]), false);
        assert_eq!(outcome.problems.len(), 4, "{:?}", outcome.problems);
    }

    #[test]
    fn an_event_that_was_under_way_may_be_there_or_not() {
        let ledger = ledger(&["try a", "ack a", "try b"]);
        assert!(ledger.compare(&arrived(&["a"]), false).problems.is_empty());
        assert!(
            ledger
                .compare(&arrived(&["a", "b"]), false)
                .problems
                .is_empty()
        );
    }
}
