//! Comments that may break a rule, each with its reason.

use super::measure::Finding;

/// A comment that may stay as it is.
#[derive(Debug)]
pub(super) struct Exception {
    /// From the root of the repository.
    pub(super) path: &'static str,
    /// A part of the comment's line.
    pub(super) text: &'static str,
    /// Completes "because …".
    pub(super) reason: &'static str,
}

/// The table. The check fails on a row that no longer fits anything, so that none is left behind.
pub(super) const EXCEPTIONS: &[Exception] = &[];

/// The exceptions of one run, and which of them were used.
#[derive(Debug)]
pub(super) struct Exceptions {
    table: &'static [Exception],
    used: Vec<bool>,
}

impl Exceptions {
    pub(super) fn new(table: &'static [Exception]) -> Self {
        Self {
            table,
            used: vec![false; table.len()],
        }
    }

    /// Returns `true` if the table has this finding, and notes that its row is used.
    pub(super) fn covers(&mut self, path: &str, finding: &Finding) -> bool {
        let mut rows = self.table.iter().zip(&mut self.used);
        let row = rows.find(|(row, _)| row.path == path && finding.text.contains(row.text));
        row.map(|(_, used)| *used = true).is_some()
    }

    /// Returns a sentence for each row that fitted nothing.
    pub(super) fn unused(&self) -> Vec<String> {
        let rows = self.table.iter().zip(&self.used);
        rows.filter(|(_, used)| !**used)
            .map(|(row, _)| {
                format!(
                    "the exception for `{}` in {} fits nothing; it was made because {}",
                    row.text, row.path, row.reason
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Rule;
    use super::*;

    #[test]
    fn exceptions_that_fit_nothing_are_reported() {
        const TABLE: &[Exception] = &[
            Exception {
                path: "a.rs",
                text: "say",
                reason: "it is quoted",
            },
            Exception {
                path: "b.rs",
                text: "say",
                reason: "it is quoted",
            },
        ];
        let mut exceptions = Exceptions::new(TABLE);
        let finding = Finding {
            line: 1,
            rule: Rule::ListedWord("say"),
            text: "They say so.".to_owned(),
        };
        assert!(exceptions.covers("a.rs", &finding));
        assert!(!exceptions.covers("c.rs", &finding));
        let expected =
            "the exception for `say` in b.rs fits nothing; it was made because it is quoted";
        assert_eq!(exceptions.unused(), [expected]);
    }
}
