//! The mistakes that are planted, as edits that apply in exactly one place.
//!
//! A test checks that each still applies, so that a change of the sources cannot remove a proof
//! unnoticed.

/// A mistake, and the tests that must detect it.
#[derive(Debug)]
pub(super) struct Mutant {
    pub(super) name: &'static str,
    /// The effect of the mistake.
    pub(super) breaks: &'static str,
    /// The path from the root of the repository.
    pub(super) file: &'static str,
    pub(super) find: &'static str,
    pub(super) replace: &'static str,
    /// The package whose unit tests are run; `filter` selects them by name.
    pub(super) package: &'static str,
    pub(super) filter: &'static str,
}

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no-recording",
        breaks: "`Recorder::record` answers `Ok` and counts the event, but queues nothing",
        file: "audit-core/src/recorder/recorder.rs",
        find: "        let pushed = match pipeline.queue.push(event) {\n",
        replace: "        if pipeline.queue.held() < usize::MAX {
            pipeline.counters.accepted.add(1);
            return Ok(());
        }
        let pushed = match pipeline.queue.push(event) {\n",
        package: "audit-core",
        filter: "delivery::",
    },
    Mutant {
        name: "no-catalog-check",
        breaks: "`#[audited]` takes any action name, whether the catalog has it or not",
        file: "audit-derive/src/audited/name.rs",
        find: "                        .then(|| format!(\"unknown action `{written}`; {}\", hint())),\n",
        replace:
            "                        .then(|| format!(\"unknown action `{written}`; {}\", hint()))
                        .filter(|_| false),\n",
        package: "audit-derive",
        filter: "audited::",
    },
    Mutant {
        name: "no-idempotency-key",
        breaks: "an event is sent without the header that keeps a repetition from being stored twice",
        file: "audit-core/src/workos/events.rs",
        find: "        request.headers_mut().insert(\"idempotency-key\", key?);\n",
        replace: "        request.headers_mut().remove(\"idempotency-key\");\n        drop(key?);\n",
        package: "audit-core",
        filter: "workos::events::",
    },
];

/// Returns the names of all mutants.
pub(crate) fn names() -> Vec<&'static str> {
    MUTANTS.iter().map(|mutant| mutant.name).collect()
}

impl Mutant {
    /// Returns the text of the file with the mistake in it.
    ///
    /// # Errors
    ///
    /// The sources changed: the text to replace is missing, or there more than once.
    pub(super) fn plant(&self, text: &str) -> Result<String, String> {
        match text.matches(self.find).count() {
            1 => Ok(text.replacen(self.find, self.replace, 1)),
            count => Err(format!(
                "mutant `{}` no longer applies: {} holds {:?} {count} times instead of once; \
                 adapt it in xtask/src/mutate/mutants.rs",
                self.name,
                self.file,
                self.find.trim()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn every_mutant_applies_to_the_present_sources() {
        for mutant in MUTANTS {
            let text = std::fs::read_to_string(root().join(mutant.file)).unwrap();
            assert_ne!(mutant.plant(&text).unwrap(), text, "{}", mutant.name);
        }
    }

    #[test]
    fn mutant_that_applies_nowhere_or_twice_is_an_error() {
        let mutant = &MUTANTS[0];
        let error = mutant.plant("fn main() {}").unwrap_err();
        assert!(
            error.contains("no-recording") && error.contains("0 times"),
            "{error}"
        );
        let error = mutant.plant(&mutant.find.repeat(2)).unwrap_err();
        assert!(error.contains("2 times"), "{error}");
    }
}
