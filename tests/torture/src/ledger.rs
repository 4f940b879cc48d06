//! The events reported by the processes of one round, and the comparison with the delivered ones.

use std::collections::{BTreeMap, BTreeSet};

/// The reports of the processes.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Events that a process started to record.
    pub(crate) tried: BTreeSet<String>,
    /// Events that were acknowledged as stored on disk.
    pub(crate) acknowledged: BTreeSet<String>,
    /// Events that were refused, and must not arrive.
    pub(crate) refused: BTreeSet<String>,
    /// The final counters of processes that were not killed.
    pub(crate) ends: Vec<End>,
}

/// The final counters of one process.
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

/// The result of a round.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) acknowledged: u64,
    pub(crate) arrived: u64,
    /// Acknowledged events missing because the round destroyed their bytes.
    pub(crate) destroyed: u64,
    /// Of those, the events whose loss the spool counted.
    pub(crate) counted: u64,
    /// Acknowledged events missing for no such reason.
    pub(crate) lost: u64,
    /// Descriptions of all violations.
    pub(crate) problems: Vec<String>,
}

impl Ledger {
    /// Adds one line of a process's output.
    pub(crate) fn add_line(&mut self, line: &str) {
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

    /// Compares the reports with the events on the server, duplicates included.
    pub(crate) fn compare(&self, arrived: &[String], destroys: bool) -> Outcome {
        let mut problems = Vec::new();
        let present: BTreeSet<&str> = arrived.iter().map(String::as_str).collect();
        if present.len() < arrived.len() {
            problems.push(format!(
                "{} events arrived twice",
                arrived.len() - present.len()
            ));
        }
        let invented = present
            .iter()
            .filter(|serial| !self.tried.contains(**serial))
            .count();
        if invented > 0 {
            problems.push(format!("{invented} events arrived that were not recorded"));
        }
        let refused: Vec<_> = self
            .refused
            .iter()
            .filter(|serial| present.contains(serial.as_str()))
            .collect();
        // A rebuilt spool may salvage an event that a failed transaction left in a page that was
        // corrupted later.
        if !destroys && !refused.is_empty() {
            problems.push(format!(
                "{} events arrived that were refused, such as {}",
                refused.len(),
                refused[0]
            ));
        }
        for end in self.ends.iter().filter(|end| end.get("balanced") != 1) {
            problems.push(format!("counters do not balance: {end}"));
        }
        let missing = self
            .acknowledged
            .iter()
            .filter(|serial| !present.contains(serial.as_str()));
        let missing: Vec<_> = missing.collect();
        let count = missing.len() as u64;
        let (destroyed, lost) = if destroys { (count, 0) } else { (0, count) };
        if let (Some(first), false) = (missing.first(), destroys) {
            problems.push(format!(
                "{lost} acknowledged events are missing, such as {first}"
            ));
        }
        // The file keeps a running count of corrupted events; losses are counted per process.
        let lost_by_processes: u64 = self.ends.iter().map(|end| end.get("lost")).sum();
        let damaged = self
            .ends
            .iter()
            .map(|end| end.get("damaged"))
            .max()
            .unwrap_or_default();
        Outcome {
            acknowledged: self.acknowledged.len() as u64,
            arrived: present.len() as u64,
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
        lines.iter().for_each(|line| ledger.add_line(line));
        ledger
    }

    fn arrived(serials: &[&str]) -> Vec<String> {
        serials.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_acknowledged_event_is_lost_unless_the_round_destroyed_bytes() {
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
    fn duplicate_unrecorded_and_refused_events_and_unbalanced_counters_are_problems() {
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
    fn unacknowledged_event_may_arrive_or_not() {
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
