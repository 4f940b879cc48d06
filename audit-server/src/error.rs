//! The public errors: starting the server, and reading its records.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::store::{OpenError, StoreError};

/// The reason [`LocalServerBuilder::start`](crate::LocalServerBuilder::start) failed.
///
/// The message completes "failed to …", names the cause and the remedy, and never contains an API
/// key.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] ErrorKind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error(
        "listen on {addr}: the address is in use; stop the program that uses it or choose another port (port 0 takes a free one)"
    )]
    AddressInUse { addr: SocketAddr, source: io::Error },
    #[error("listen on {addr}")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error(
        "listen on {addr}: it is not a loopback address, and other machines could reach the server; allow it with `allow_remote(true)`"
    )]
    Remote { addr: SocketAddr },
    #[error(
        "accept the API key: it has to start with `sk_` and consist of visible ASCII characters"
    )]
    ApiKey,
    #[error(
        "accept the organization `{id}`: an id is `org_` and then up to 100 letters, digits, `_` or `-`"
    )]
    Organization { id: String },
    #[error("open the database `{}`", path.display())]
    Database { path: PathBuf, source: OpenError },
    #[error("open the database in memory")]
    Memory { source: OpenError },
    #[error("store the configured organizations")]
    Seed { source: StoreError },
    #[error("generate the key that signs links")]
    Random { source: getrandom::Error },
    #[error("start the server thread")]
    Thread { source: io::Error },
}

impl StartError {
    /// Returns `true` if another program or server already listens on the address.
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        matches!(self.0, ErrorKind::AddressInUse { .. })
    }

    /// Returns `true` if the address could not be bound, for any reason.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        matches!(
            self.0,
            ErrorKind::AddressInUse { .. } | ErrorKind::Listen { .. }
        )
    }

    /// Returns `true` if the address is not a loopback address and
    /// [`allow_remote`](crate::LocalServerBuilder::allow_remote) was not set.
    #[must_use]
    pub fn is_remote_refused(&self) -> bool {
        matches!(self.0, ErrorKind::Remote { .. })
    }

    /// Returns `true` if an API key or an organization id is malformed.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self.0, ErrorKind::ApiKey | ErrorKind::Organization { .. })
    }

    /// Returns `true` if the database could not be opened, or belongs to another program.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(
            self.0,
            ErrorKind::Database { .. } | ErrorKind::Memory { .. } | ErrorKind::Seed { .. }
        )
    }

    /// Returns the requested address, if the address is the cause.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        match self.0 {
            ErrorKind::AddressInUse { addr, .. }
            | ErrorKind::Listen { addr, .. }
            | ErrorKind::Remote { addr } => Some(addr),
            _ => None,
        }
    }

    /// Returns the database file, if the file is the cause.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            ErrorKind::Database { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// The reason the stored events, organizations or counts could not be read.
///
/// Only the database can fail here: a full disk, a file that another process locks for more than
/// five seconds, or a corrupted file.
#[derive(Debug, thiserror::Error)]
#[error("read from the server's database")]
pub struct QueryError(#[from] StoreError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_in_use_names_the_remedy() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 4100));
        let error = StartError::from(ErrorKind::AddressInUse {
            addr,
            source: io::ErrorKind::AddrInUse.into(),
        });
        assert!(error.is_address_in_use() && error.is_listen() && !error.is_data());
        assert_eq!(error.addr(), Some(addr));
        assert!(error.to_string().contains("choose another port"), "{error}");
    }

    #[test]
    fn rejected_key_is_not_in_the_message() {
        let error = StartError::from(ErrorKind::ApiKey);
        assert!(error.is_configuration());
        assert!(error.to_string().contains("`sk_`"));
    }
}
