//! The content of a lock, and its text.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use crate::fingerprint::Fingerprint;

pub(super) const HEADER: &str = "\
# The schema versions that each environment has. Written by `audited schema push`; commit it beside audit.toml.
";

/// The content of `audit.lock`: the version of each action's schema in each environment.
///
/// Schemas are immutable. A changed schema is a new version, which events have to name ([editing
/// events](https://workos.com/docs/audit-logs/editing-events)). The version
/// that the service assigned is therefore kept beside the catalog and committed. Each environment
/// counts its own versions.
///
/// ```toml
/// [environment.production]
/// "document.delete" = { version = 3, fingerprint = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
/// ```
///
/// The text is deterministic: environments and actions are sorted, and each action is one line.
/// Branches that register different actions therefore merge without a conflict in most cases.
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
    pub(super) environments: BTreeMap<String, BTreeMap<String, Locked>>,
}

/// A registered schema: its version and its fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    pub(super) version: NonZeroU32,
    pub(super) fingerprint: Fingerprint,
}

impl Locked {
    /// Returns the version that the service assigned to the schema.
    #[must_use]
    pub fn version(&self) -> NonZeroU32 {
        self.version
    }

    /// Returns the fingerprint of the registered schema.
    ///
    /// If the fingerprint of the catalog's schema differs, the catalog has drifted.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Lock {
    /// Returns the names of the environments, sorted.
    pub fn environments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.environments.keys().map(String::as_str)
    }

    /// Returns the actions of an environment, sorted by name; none if it is not in the lock.
    pub fn actions(&self, environment: &str) -> impl Iterator<Item = (&str, &Locked)> {
        let actions = self.environments.get(environment).into_iter().flatten();
        actions.map(|(action, locked)| (action.as_str(), locked))
    }

    /// Returns the registered schema of an action in an environment.
    #[must_use]
    pub fn get(&self, environment: &str, action: &str) -> Option<&Locked> {
        self.environments.get(environment)?.get(action)
    }

    /// Returns the version of an action's schema in an environment.
    #[must_use]
    pub fn version(&self, environment: &str, action: &str) -> Option<NonZeroU32> {
        self.get(environment, action).map(Locked::version)
    }

    /// Sets the registered schema of an action, and replaces an existing entry.
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

    /// Removes an action from an environment, and returns its entry.
    pub fn remove(&mut self, environment: &str, action: &str) -> Option<Locked> {
        self.environments.get_mut(environment)?.remove(action)
    }
}

/// Formats the text of the file.
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

/// A TOML key, quoted unless it may be bare.
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
