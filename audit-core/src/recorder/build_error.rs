//! The error of a recorder that cannot start.

use std::fmt;
#[cfg(feature = "spool")]
use std::path::PathBuf;

#[cfg(feature = "spool")]
use crate::spool::Unclaimable;

/// The recorder could not start.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct BuildError {
    #[from]
    kind: BuildErrorKind,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum BuildErrorKind {
    #[error("start the audit dispatcher")]
    Start(#[from] std::io::Error),
    #[error(
        "durable actions of the catalog require a spool: {actions}; give the recorder one, as in \
         `.spool(Spool::open(\"/var/lib/service/audit.spool\")?)` (feature `spool`), or take `durable` out of audit.toml"
    )]
    NoSpool { actions: String },
    #[cfg(feature = "spool")]
    #[error(
        "the spool {} belongs to another recorder, and a spool serves one recorder; open another file for this one",
        .0.display()
    )]
    SpoolInUse(PathBuf),
    #[cfg(feature = "spool")]
    #[error(
        "the spool {} was closed, as by the shutdown of its recorder; open it again with `Spool::open` for this recorder",
        .0.display()
    )]
    SpoolClosed(PathBuf),
    #[error(
        "there is no catalog whose actions `verify_catalog` could ask about; add `.catalog(catalog!())`"
    )]
    NothingToVerify,
    #[error(transparent)]
    Environment(#[from] NoEnvironment),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum NoEnvironment {
    #[error("audit.lock has no environment `{environment}`; it has {known}")]
    Unknown { environment: String, known: String },
    #[error(
        "the catalog has no audit.lock, so no environment `{environment}`; `audited schema push` writes it beside audit.toml, \
         then compile the crate with `catalog!()` again"
    )]
    WithoutLock { environment: String },
    #[error(
        "there is no catalog to look up the environment `{environment}` in; add `.catalog(catalog!())`"
    )]
    WithoutCatalog { environment: String },
}

/// The error's text, since a `main` that returns the error prints this.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildError({self}")?;
        if let BuildErrorKind::Start(error) = &self.kind {
            write!(f, ": {error}")?;
        }
        f.write_str(")")
    }
}

impl From<std::io::Error> for BuildError {
    fn from(error: std::io::Error) -> Self {
        BuildErrorKind::from(error).into()
    }
}

impl From<NoEnvironment> for BuildError {
    fn from(error: NoEnvironment) -> Self {
        BuildErrorKind::from(error).into()
    }
}

#[cfg(feature = "spool")]
impl From<Unclaimable> for BuildError {
    fn from(reason: Unclaimable) -> Self {
        match reason {
            Unclaimable::Taken(path) => BuildErrorKind::SpoolInUse(path),
            Unclaimable::Closed(path) => BuildErrorKind::SpoolClosed(path),
        }
        .into()
    }
}

impl BuildError {
    /// Returns `true` if the spool belongs to another recorder, or was closed.
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn is_spool_taken(&self) -> bool {
        matches!(
            self.kind,
            BuildErrorKind::SpoolInUse(_) | BuildErrorKind::SpoolClosed(_)
        )
    }

    /// Returns `true` if actions of the catalog are durable and there is no spool.
    #[must_use]
    pub fn is_without_spool(&self) -> bool {
        matches!(self.kind, BuildErrorKind::NoSpool { .. })
    }

    /// Returns `true` if the environment's schema versions are not known: the lock does not list
    /// it, or there is no catalog.
    #[must_use]
    pub fn is_unknown_environment(&self) -> bool {
        matches!(self.kind, BuildErrorKind::Environment(_))
    }
}
