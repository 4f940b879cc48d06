//! Why a recorder does not start.

use std::fmt;

/// The recorder could not start.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct BuildError {
    #[from]
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("start the audit dispatcher")]
    Start(#[from] std::io::Error),
    #[error(
        "events that the catalog calls durable need a disk to be kept on, for {actions}: give the recorder a spool, as in \
         `.spool(Spool::open(\"audit.spool\")?)` (feature `spool`), or take `durable` out of audit.toml"
    )]
    NoSpool { actions: String },
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
         and the crate that says `catalog!()` has to be compiled again"
    )]
    WithoutLock { environment: String },
    #[error(
        "there is no catalog to look up the environment `{environment}` in; add `.catalog(catalog!())`"
    )]
    WithoutCatalog { environment: String },
}

/// What a `main` that returns it shows.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildError({self}")?;
        if let Cause::Start(error) = &self.cause {
            write!(f, ": {error}")?;
        }
        f.write_str(")")
    }
}

impl From<std::io::Error> for BuildError {
    fn from(error: std::io::Error) -> Self {
        Cause::from(error).into()
    }
}

impl From<NoEnvironment> for BuildError {
    fn from(error: NoEnvironment) -> Self {
        Cause::from(error).into()
    }
}

impl BuildError {
    /// Whether actions of the catalog are durable and there is no spool.
    #[must_use]
    pub fn is_without_spool(&self) -> bool {
        matches!(self.cause, Cause::NoSpool { .. })
    }

    /// Whether the environment's schema versions are not known: it is not in the lock, or there is
    /// no catalog.
    #[must_use]
    pub fn is_unknown_environment(&self) -> bool {
        matches!(self.cause, Cause::Environment(_))
    }
}
