//! Parses the `coalesce` table of an action.

use std::time::Duration;

use toml::de::DeValue;

use super::reader::{Item, Key, Reader};
use crate::coalesce::{Coalesce, CoalesceBy};
use crate::nearest::nearest;

/// The keys of the table.
pub(crate) const COALESCE_KEYS: [&str; 2] = ["by", "window"];
const EXAMPLE: &str = "`coalesce = { by = [\"actor\", \"location\"], window = \"60s\" }`";
const SHORTEST: u64 = 1;
const LONGEST: u64 = 15 * 60;

impl Reader<'_, '_> {
    /// Parses the table. Returns `None` after a mistake; every mistake is reported.
    pub(super) fn coalesce(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<Coalesce> {
        if !item.get_ref().is_table() {
            self.wrong_type(key, item, "a table", item.get_ref());
            return None;
        }
        let (mut by, mut window, mut misspelled) = (None, None, Vec::new());
        for (key, item) in self.table(key, item) {
            match key.get_ref().as_ref() {
                "by" => by = Some(self.coalesce_by(key, item)),
                "window" => window = Some(self.window(key, item)),
                name => {
                    self.unknown_key(key, &COALESCE_KEYS);
                    misspelled.extend(nearest(name, COALESCE_KEYS));
                }
            }
        }
        for (name, missing) in [("by", by.is_none()), ("window", window.is_none())] {
            if missing && !misspelled.contains(&name) {
                let message = format!("`coalesce` has no `{name}`; write {EXAMPLE}");
                self.mistakes.add(key.span().start, message);
            }
        }
        Some(Coalesce {
            by: by??,
            window: window??,
        })
    }

    fn coalesce_by(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<Vec<CoalesceBy>> {
        let words = CoalesceBy::ALL.map(CoalesceBy::as_str);
        let DeValue::Array(items) = item.get_ref() else {
            self.wrong_type(key, item, "an array of strings", item.get_ref());
            return None;
        };
        if items.is_empty() {
            let message = format!(
                "`by` is empty; name at least one of `{}`",
                words.join("`, `")
            );
            self.mistakes.add(item.span().start, message);
            return None;
        }
        let (mut by, mut all) = (Vec::new(), true);
        for item in items {
            let Some(word) = self.string(key, item) else {
                all = false;
                continue;
            };
            let (start, word) = (word.span.start, word.value);
            match CoalesceBy::ALL
                .into_iter()
                .find(|part| part.as_str() == word)
            {
                Some(part) if by.contains(&part) => {
                    self.mistakes.add(
                        start,
                        format!("`{word}` is listed twice in `by`; remove one"),
                    );
                    all = false;
                }
                Some(part) => by.push(part),
                None => {
                    let hint = match nearest(&word, words) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("expected one of `{}`", words.join("`, `")),
                    };
                    self.mistakes
                        .add(start, format!("`by` cannot hold {word:?}; {hint}"));
                    all = false;
                }
            }
        }
        all.then_some(by)
    }

    fn window(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<Duration> {
        let text = self.string(key, item)?.value;
        let seconds = seconds(&text).filter(|seconds| (SHORTEST..=LONGEST).contains(seconds));
        if seconds.is_none() {
            let rule = "a window is a whole number of seconds or minutes from \"1s\" to \"15m\", as in `window = \"60s\"`";
            self.mistakes
                .add(item.span().start, format!("window {text:?}; {rule}"));
        }
        seconds.map(Duration::from_secs)
    }
}

/// Parses a number with a unit into seconds.
///
/// A leading zero is rejected, so that the pattern of the JSON Schema accepts the same texts.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 60),
        _ => return None,
    };
    if number.starts_with('0') || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Catalog;

    fn read(coalesce: &str) -> Result<Option<Coalesce>, Vec<String>> {
        let text = format!("[action.a]\ntargets = [\"t\"]\n{coalesce}");
        match Catalog::parse(&text, "audit.toml") {
            Ok(catalog) => Ok(catalog.action("a").unwrap().coalesce().cloned()),
            Err(error) => Err(error.mistakes().iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn all_parts_and_the_window_are_read() {
        let found = read(
            "coalesce = { by = [\"outcome\", \"actor\", \"target\", \"location\"], window = \"2m\" }",
        );
        let found = found.unwrap().unwrap();
        use CoalesceBy::{Actor, Location, Outcome, Target};
        assert_eq!(found.by(), [Outcome, Actor, Target, Location]);
        assert_eq!(found.window(), Duration::from_secs(120));
        assert_eq!(read(""), Ok(None));
    }

    #[test]
    fn every_mistake_is_reported_at_its_position() {
        assert_eq!(
            read("[action.a.coalesce]\nby = [\"actr\", \"target\", \"target\", 1, \"x\"]\nwindow = \"1h\"\nevery = 1"),
            Err(vec![
                "4:7: `by` cannot hold \"actr\"; did you mean `actor`?".to_owned(),
                "4:25: `target` is listed twice in `by`; remove one".to_owned(),
                "4:35: `by` must be a string, not an integer".to_owned(),
                "4:38: `by` cannot hold \"x\"; expected one of `actor`, `target`, `location`, `outcome`".to_owned(),
                "5:10: window \"1h\"; a window is a whole number of seconds or minutes from \"1s\" to \"15m\", as in `window = \"60s\"`".to_owned(),
                "6:1: unknown key `every`; expected one of `by`, `window`".to_owned(),
            ])
        );
    }

    #[test]
    fn a_missing_key_is_reported_unless_it_was_misspelled() {
        let missing = |name| format!("3:1: `coalesce` has no `{name}`; write {EXAMPLE}");
        assert_eq!(
            read("coalesce = {}"),
            Err(vec![missing("by"), missing("window")])
        );
        assert_eq!(
            read("coalesce = { by = [], windw = \"1s\" }"),
            Err(vec![
                "3:19: `by` is empty; name at least one of `actor`, `target`, `location`, `outcome`".to_owned(),
                "3:23: unknown key `windw`; did you mean `window`?".to_owned(),
            ])
        );
        assert_eq!(
            read("coalesce = true"),
            Err(vec![
                "3:12: `coalesce` must be a table, not a boolean".to_owned()
            ])
        );
    }

    #[test]
    fn a_window_is_from_a_second_to_fifteen_minutes() {
        let window = |text: &str| {
            let found = read(&format!(
                "coalesce = {{ by = [\"actor\"], window = \"{text}\" }}"
            ));
            found
                .ok()
                .flatten()
                .map(|coalesce| coalesce.window().as_secs())
        };
        assert_eq!(window("1s"), Some(1));
        assert_eq!(window("900s"), Some(900));
        assert_eq!(window("15m"), Some(900));
        for wrong in [
            "0s",
            "901s",
            "16m",
            "s",
            "",
            "5",
            "1.5s",
            "+1s",
            "05s",
            "60 s",
            "1h",
            "99999999999999999999m",
        ] {
            assert_eq!(window(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn coalesce_and_durable_exclude_each_other() {
        let conflict = "4:1: an action cannot have both `coalesce` and `durable = true`: an event that is held until its window closes would not be on disk before the operation returns; remove one";
        assert_eq!(
            read("durable = true\ncoalesce = { by = [\"actor\"], window = \"60s\" }"),
            Err(vec![conflict.to_owned()])
        );
        assert!(read("durable = false\ncoalesce = { by = [\"actor\"], window = \"60s\" }").is_ok());
    }
}
