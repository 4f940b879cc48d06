//! What can go wrong outside of an HTTP answer: starting the server, and reading what it stored.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::store::{OpenError, StoreError};

/// Why [`LocalServerBuilder::start`](crate::LocalServerBuilder::start) did not start a server.
///
/// The message finishes "failed to …", names what is wrong and what to do about it, and never holds
/// an API key.
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
    #[error("draw the key that signs links")]
    Random { source: getrandom::Error },
    #[error("start the server's thread")]
    Thread { source: io::Error },
}

impl StartError {
    /// Whether another program (or another server) listens on the address already.
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        matches!(self.0, ErrorKind::AddressInUse { .. })
    }

    /// Whether the address could not be listened on, for whatever reason.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        matches!(
            self.0,
            ErrorKind::AddressInUse { .. } | ErrorKind::Listen { .. }
        )
    }

    /// Whether the address is no loopback address and
    /// [`allow_remote`](crate::LocalServerBuilder::allow_remote) was not given.
    #[must_use]
    pub fn is_remote_refused(&self) -> bool {
        matches!(self.0, ErrorKind::Remote { .. })
    }

    /// Whether an API key or an organization id is not of the right form.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self.0, ErrorKind::ApiKey | ErrorKind::Organization { .. })
    }

    /// Whether the database could not be opened, or is not one of this server.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(
            self.0,
            ErrorKind::Database { .. } | ErrorKind::Memory { .. } | ErrorKind::Seed { .. }
        )
    }

    /// The address that was asked for, if the address is what failed.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        match self.0 {
            ErrorKind::AddressInUse { addr, .. }
            | ErrorKind::Listen { addr, .. }
            | ErrorKind::Remote { addr } => Some(addr),
            _ => None,
        }
    }

    /// The database file, if the file is what failed.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            ErrorKind::Database { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// Why the stored events, organizations or counts could not be read.
///
/// Only the database can fail here: a full disk, a file that somebody else holds for more than five
/// seconds, or a damaged one.
#[derive(Debug, thiserror::Error)]
#[error("read from the server's database")]
pub struct QueryError(#[from] StoreError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_says_what_to_do() {
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
    fn a_refused_key_is_not_in_the_message() {
        let error = StartError::from(ErrorKind::ApiKey);
        assert!(error.is_configuration());
        assert!(error.to_string().contains("`sk_`"));
    }
}
