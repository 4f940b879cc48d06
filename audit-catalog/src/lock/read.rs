//! Reads and checks a lock.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::lock::{Lock, Locked};
use crate::declarations::Mistakes;
use crate::error::CatalogError;
use crate::fingerprint::Fingerprint;
use crate::nearest::nearest;

/// The keys of one action.
const KEYS: [&str; 2] = ["version", "fingerprint"];

impl Lock {
    /// Parses and checks the text of a lock.
    ///
    /// `path` names the file in errors; nothing is read from it.
    ///
    /// # Errors
    /// [`CatalogError::mistakes`] lists every mistake in the text.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let mut mistakes = Mistakes::new(text);
        let lock = parse(&mut mistakes);
        match mistakes.into_list() {
            list if list.is_empty() => Ok(lock),
            list => Err(CatalogError::invalid(path.as_ref(), list)),
        }
    }

    /// Reads, parses and checks a lock file, which must be UTF-8.
    ///
    /// # Errors
    /// If the file cannot be read ([`CatalogError::is_not_found`] distinguishes a missing file), or
    /// as [`Lock::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CatalogError::unreadable(path, source))?;
        Self::parse(&text, path)
    }
}

fn parse(mistakes: &mut Mistakes<'_>) -> Lock {
    let (document, errors) = DeTable::parse_recoverable(mistakes.text());
    if !errors.is_empty() {
        mistakes.add_syntax(&errors);
        return Lock::default();
    }
    let mut reader = Reader { mistakes };
    let mut lock = Lock::default();
    for (key, item) in document.get_ref() {
        if key.get_ref() != "environment" {
            reader.mistake(key.span(), unknown(key.get_ref(), &["environment"]));
            continue;
        }
        for (name, item) in reader.table(key.get_ref(), item) {
            let actions = reader.actions(name.get_ref(), item);
            lock.environments
                .insert(name.get_ref().to_string(), actions);
        }
    }
    lock
}

/// Walks the tree of one text and collects its mistakes.
struct Reader<'m, 't> {
    mistakes: &'m mut Mistakes<'t>,
}

type Table<'a, 'i> = Vec<(&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>)>;

impl Reader<'_, '_> {
    fn mistake(&mut self, span: Range<usize>, message: String) {
        self.mistakes.add(span.start, message);
    }

    fn table<'a, 'i>(&mut self, key: &str, item: &'a Spanned<DeValue<'i>>) -> Table<'a, 'i> {
        if let DeValue::Table(table) = item.get_ref() {
            return table.iter().collect();
        }
        self.mistake(item.span(), format!("`{key}` must be a table"));
        Vec::new()
    }

    fn actions(
        &mut self,
        environment: &str,
        item: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, Locked> {
        let table = self.table(environment, item);
        table
            .into_iter()
            .filter_map(|(name, item)| {
                let locked = self.locked(name.get_ref(), name.span(), item)?;
                Some((name.get_ref().to_string(), locked))
            })
            .collect()
    }

    /// Parses one action. Returns `None` after a mistake; every mistake is reported.
    fn locked(
        &mut self,
        action: &str,
        span: Range<usize>,
        item: &Spanned<DeValue<'_>>,
    ) -> Option<Locked> {
        let before = self.mistakes.count();
        let (mut version, mut fingerprint) = (None, None);
        let table = self.table(action, item);
        if self.mistakes.count() > before {
            return None;
        }
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "version" => version = Some(self.version(item)),
                "fingerprint" => fingerprint = Some(self.fingerprint(item)),
                other => {
                    self.mistake(key.span(), unknown(other, &KEYS));
                    // The value is present under a misspelled key, which has just been reported.
                    match nearest(other, KEYS) {
                        Some("version") => version = Some(None),
                        Some(_) => fingerprint = Some(None),
                        None => {}
                    }
                }
            }
        }
        for (key, missing) in [
            ("version", version.is_none()),
            ("fingerprint", fingerprint.is_none()),
        ] {
            if missing {
                self.mistake(
                    span.clone(),
                    format!("`{action}` has no `{key}`; run `audited schema push` to rewrite it"),
                );
            }
        }
        Some(Locked {
            version: version??,
            fingerprint: fingerprint??,
        })
    }

    fn version(&mut self, item: &Spanned<DeValue<'_>>) -> Option<NonZeroU32> {
        let version = match item.get_ref() {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix())
                .ok()
                .and_then(NonZeroU32::new),
            _ => None,
        };
        if version.is_none() {
            let rule =
                "`version` must be a whole number from 1 to 4294967295, as returned by the service";
            self.mistake(item.span(), rule.to_owned());
        }
        version
    }

    fn fingerprint(&mut self, item: &Spanned<DeValue<'_>>) -> Option<Fingerprint> {
        let fingerprint = match item.get_ref() {
            DeValue::String(text) => text.parse().ok(),
            _ => None,
        };
        if fingerprint.is_none() {
            let rule = "`fingerprint` must be \"sha256:\" and 64 hexadecimal digits";
            self.mistake(item.span(), rule.to_owned());
        }
        fingerprint
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let hint = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("expected one of `{}`", known.join("`, `")),
    };
    format!("unknown key `{name}`; {hint}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lock::lock::HEADER;

    fn version(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn mistakes(text: &str) -> Vec<String> {
        let error = Lock::parse(text, "audit.lock").unwrap_err();
        error.mistakes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_text_is_sorted_and_has_one_line_per_action() {
        let mut lock = Lock::default();
        lock.set(
            "staging",
            "login",
            version(1),
            Fingerprint::from_bytes([0; 32]),
        );
        lock.set(
            "production",
            "login",
            version(2),
            Fingerprint::from_bytes([0xab; 32]),
        );
        lock.set(
            "production",
            "document.delete",
            version(12),
            Fingerprint::from_bytes([1; 32]),
        );
        let expected = format!(
            "{HEADER}\n[environment.production]\n\
             \"document.delete\" = {{ version = 12, fingerprint = \"sha256:{}\" }}\n\
             login = {{ version = 2, fingerprint = \"sha256:{}\" }}\n\
             \n[environment.staging]\n\
             login = {{ version = 1, fingerprint = \"sha256:{}\" }}\n",
            "01".repeat(32),
            "ab".repeat(32),
            "00".repeat(32),
        );
        assert_eq!(lock.to_string(), expected);
    }

    #[test]
    fn an_entry_is_replaced_and_removed() {
        let mut lock = Lock::default();
        lock.set(
            "production",
            "a",
            version(1),
            Fingerprint::from_bytes([1; 32]),
        );
        lock.set(
            "production",
            "a",
            version(2),
            Fingerprint::from_bytes([2; 32]),
        );
        assert_eq!(lock.version("production", "a"), Some(version(2)));
        assert_eq!(
            lock.remove("production", "a").unwrap().version(),
            version(2)
        );
        assert_eq!(lock.version("production", "a"), None);
        assert_eq!(lock.environments().collect::<Vec<_>>(), ["production"]);
        assert_eq!(lock.actions("production").count(), 0);
    }

    #[test]
    fn every_mistake_is_reported_at_its_position() {
        let good = format!("\"sha256:{}\"", "0".repeat(64));
        let text = format!(
            "enviroment = 1\n[environment]\nstaging = 1\n[environment.production]\na = 1\n\
             b = {{ version = 0, fingerprint = \"md5:0\" }}\nc = {{ vesion = 1, fingerprint = {good} }}\n\
             d = {{ version = 4294967296, fingerprint = {good} }}\ne = {{ version = 1 }}\n"
        );
        let number =
            "`version` must be a whole number from 1 to 4294967295, as returned by the service";
        assert_eq!(
            mistakes(&text),
            [
                "1:1: unknown key `enviroment`; did you mean `environment`?".to_owned(),
                "3:11: `staging` must be a table".to_owned(),
                "5:5: `a` must be a table".to_owned(),
                format!("6:17: {number}"),
                "6:34: `fingerprint` must be \"sha256:\" and 64 hexadecimal digits".to_owned(),
                "7:7: unknown key `vesion`; did you mean `version`?".to_owned(),
                format!("8:17: {number}"),
                "9:1: `e` has no `fingerprint`; run `audited schema push` to rewrite it".to_owned(),
            ]
        );
    }

    #[test]
    fn a_merge_conflict_is_a_syntax_error_with_its_line() {
        let found = mistakes("[environment.production]\n<<<<<<< HEAD\n");
        assert!(found[0].starts_with("2:1: invalid TOML"), "{found:?}");
    }

    #[test]
    fn a_file_without_environments_is_an_empty_lock() {
        assert_eq!(Lock::parse("", "audit.lock").unwrap(), Lock::default());
        assert_eq!(Lock::parse(HEADER, "audit.lock").unwrap(), Lock::default());
    }

    proptest! {
        #[test]
        fn a_written_lock_is_read_back(
            entries in prop::collection::vec(("\\PC{0,8}", "\\PC{0,8}|[a-z.\\x00-\\x1f\"\\\\]{0,6}", 1..=u32::MAX, any::<[u8; 32]>()), 0..8),
        ) {
            let mut lock = Lock::default();
            for (environment, action, number, bytes) in entries {
                lock.set(environment, action, version(number), Fingerprint::from_bytes(bytes));
            }
            let text = lock.to_string();
            let read = Lock::parse(&text, "audit.lock").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(&read, &lock);
            prop_assert_eq!(read.to_string(), text);
        }
    }
}
