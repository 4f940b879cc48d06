//! The lock: which version of each action's schema an environment has.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{CatalogError, Fingerprint, Mistake, nearest};

const HEADER: &str = "\
# The schema versions that each environment has. Written by `audited schema push`; commit it beside audit.toml.
";
const KEYS: [&str; 2] = ["version", "fingerprint"];

/// Which version of each action's schema an environment has: the content of `audit.lock`.
///
/// Schemas are immutable, and a changed one is a new version, which events have to name ([editing
/// events](https://workos.com/docs/audit-logs/editing-events)). So the version that a push was
/// given is kept beside the catalog, and committed. Environments differ, since each counts its own
/// versions.
///
/// ```toml
/// [environment.production]
/// "document.delete" = { version = 3, fingerprint = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
/// ```
///
/// Writing is deterministic: environments and actions are sorted, each action is one line, so that
/// two branches that push different actions merge without a conflict in most cases.
///
/// ```
/// use audit_catalog::{Catalog, Fingerprint, Lock};
/// use std::num::NonZeroU32;
///
/// let mut lock = Lock::default();
/// let fingerprint = Fingerprint::from_bytes([7; 32]);
/// lock.set("production", "document.delete", NonZeroU32::MIN, fingerprint);
///
/// let again = Lock::parse(&lock.to_string(), "audit.lock")?;
/// assert_eq!(again, lock);
/// assert_eq!(again.version("production", "document.delete"), Some(NonZeroU32::MIN));
/// assert_eq!(again.version("staging", "document.delete"), None);
/// # Ok::<(), audit_catalog::CatalogError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    environments: BTreeMap<String, BTreeMap<String, Locked>>,
}

/// One schema that was registered: its version, and what it looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    version: NonZeroU32,
    fingerprint: Fingerprint,
}

impl Locked {
    /// The version that the service gave the schema.
    #[must_use]
    pub fn version(&self) -> NonZeroU32 {
        self.version
    }

    /// The fingerprint of the schema that was registered; the catalog has drifted when its own
    /// differs.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Lock {
    /// Reads and checks a lock from its text. `path` is what errors call the file; nothing is read
    /// from it.
    ///
    /// # Errors
    /// [`CatalogError::mistakes`] lists every mistake in the text.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        parse(text).map_err(|mistakes| CatalogError::invalid(path.as_ref(), mistakes))
    }

    /// Reads and checks the lock in a file, which must be UTF-8.
    ///
    /// # Errors
    /// If the file cannot be read ([`CatalogError::is_not_found`] tells why), or as
    /// [`Lock::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CatalogError::unreadable(path, source))?;
        Self::parse(&text, path)
    }

    /// The names of the environments, sorted.
    pub fn environments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// The actions that an environment has a schema of, sorted by name; none if it is not in the
    /// lock.
    pub fn actions(&self, environment: &str) -> impl Iterator<Item = (&str, &Locked)> {
        let actions = self.environments.get(environment).into_iter().flatten();
        actions.map(|(action, locked)| (action.as_str(), locked))
    }

    /// What an environment has of an action.
    #[must_use]
    pub fn get(&self, environment: &str, action: &str) -> Option<&Locked> {
        self.environments.get(environment)?.get(action)
    }

    /// The version of an action's schema in an environment.
    #[must_use]
    pub fn version(&self, environment: &str, action: &str) -> Option<NonZeroU32> {
        self.get(environment, action).map(Locked::version)
    }

    /// Notes what the service answered to a push; replaces what was there.
    pub fn set(
        &mut self,
        environment: impl Into<String>,
        action: impl Into<String>,
        version: NonZeroU32,
        fingerprint: Fingerprint,
    ) {
        let locked = Locked {
            version,
            fingerprint,
        };
        let actions = self.environments.entry(environment.into()).or_default();
        actions.insert(action.into(), locked);
    }

    /// Forgets an action of an environment, as one that left the catalog.
    pub fn remove(&mut self, environment: &str, action: &str) -> Option<Locked> {
        self.environments.get_mut(environment)?.remove(action)
    }
}

/// The text of the file.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (environment, actions) in &self.environments {
            writeln!(f, "\n[environment.{}]", Key(environment))?;
            for (action, locked) in actions {
                let Locked {
                    version,
                    fingerprint,
                } = locked;
                let action = Key(action);
                writeln!(
                    f,
                    "{action} = {{ version = {version}, fingerprint = \"{fingerprint}\" }}"
                )?;
            }
        }
        Ok(())
    }
}

/// A TOML key: bare where it may be, else quoted.
struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !self.0.is_empty() && self.0.chars().all(bare) {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

fn parse(text: &str) -> Result<Lock, Vec<Mistake>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Mistake::syntax(text, &errors));
    }
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
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
    if reader.mistakes.is_empty() {
        Ok(lock)
    } else {
        Err(reader.mistakes)
    }
}

struct Reader<'a> {
    text: &'a str,
    mistakes: Vec<Mistake>,
}

type Table<'a, 'i> = Vec<(
    &'a Spanned<toml::de::DeString<'i>>,
    &'a Spanned<DeValue<'i>>,
)>;

impl Reader<'_> {
    fn mistake(&mut self, span: Range<usize>, message: String) {
        self.mistakes
            .push(Mistake::new(self.text, span.start, message));
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

    /// One action. Every mistake in it is reported, and it is left out then.
    fn locked(
        &mut self,
        action: &str,
        span: Range<usize>,
        item: &Spanned<DeValue<'_>>,
    ) -> Option<Locked> {
        let before = self.mistakes.len();
        let (mut version, mut fingerprint) = (None, None);
        let table = self.table(action, item);
        if self.mistakes.len() > before {
            return None;
        }
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "version" => version = Some(self.version(item)),
                "fingerprint" => fingerprint = Some(self.fingerprint(item)),
                other => {
                    self.mistake(key.span(), unknown(other, &KEYS));
                    // It is there, under a name that has just been reported.
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
                    format!(
                        "`{action}` has no `{key}`; run `audited schema push` to write it anew"
                    ),
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
            let rule = "`version` must be a whole number from 1 to 4294967295, the one that the service answered";
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
    fn a_second_push_replaces_and_an_action_can_be_forgotten() {
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
    fn every_mistake_has_its_place() {
        let good = format!("\"sha256:{}\"", "0".repeat(64));
        let text = format!(
            "enviroment = 1\n[environment]\nstaging = 1\n[environment.production]\na = 1\n\
             b = {{ version = 0, fingerprint = \"md5:0\" }}\nc = {{ vesion = 1, fingerprint = {good} }}\n\
             d = {{ version = 4294967296, fingerprint = {good} }}\ne = {{ version = 1 }}\n"
        );
        let number = "`version` must be a whole number from 1 to 4294967295, the one that the service answered";
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
                "9:1: `e` has no `fingerprint`; run `audited schema push` to write it anew"
                    .to_owned(),
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
        fn what_was_written_is_read_back(
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
