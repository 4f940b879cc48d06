//! How a server is set up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// The API key of a server that was given none.
pub const DEFAULT_API_KEY: &str = "sk_test_local";

/// The organization of a server that was given none.
pub const DEFAULT_ORGANIZATION: &str = "org_local";

/// How long an export is `pending` unless the server was told otherwise: long enough that a client
/// that does not poll is found out.
pub const DEFAULT_EXPORT_DELAY: Duration = Duration::from_millis(250);

/// What the service allows for one key: 6,000 requests in 60 seconds
/// (<https://workos.com/docs/reference/rate-limits>).
pub const SERVICE_RATE_LIMIT: (u32, Duration) = (6_000, Duration::from_secs(60));

/// How long a client may take to send a head or a body unless the server was told otherwise.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a server keeps what it receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// In memory, until the server stops; the default. Accepted events are trimmed by their
    /// retention only, so a long-running server grows with them.
    #[default]
    Memory,
    /// In this SQLite file, which is created if it does not exist. Its folder has to exist. Beside
    /// it SQLite keeps a `-wal` and a `-shm` file while the server runs.
    File(PathBuf),
}

/// Sets up a [`LocalServer`](crate::LocalServer); made by
/// [`LocalServer::builder`](crate::LocalServer::builder).
#[must_use]
pub struct LocalServerBuilder {
    pub(crate) listen: SocketAddr,
    pub(crate) allow_remote: bool,
    pub(crate) data: Data,
    pub(crate) api_keys: Vec<String>,
    pub(crate) organizations: Vec<String>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) export_delay: Duration,
    pub(crate) rate_limit: Option<(u32, Duration)>,
    pub(crate) read_timeout: Duration,
}

impl LocalServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            // Port 0 lets the system choose, so that tests do not collide.
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            allow_remote: false,
            data: Data::Memory,
            api_keys: Vec::new(),
            organizations: Vec::new(),
            clock: Box::new(SystemClock),
            export_delay: DEFAULT_EXPORT_DELAY,
            rate_limit: None,
            read_timeout: DEFAULT_READ_TIMEOUT,
        }
    }

    /// The address to listen on; `127.0.0.1` and a free port by default.
    pub fn listen(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.listen = addr.into();
        self
    }

    /// Whether [`listen`](Self::listen) may name an address that other machines can reach; `false`
    /// by default.
    ///
    /// On such an address the server answers to any `Host`, and its own routes under `/_local` ask
    /// for the API key.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Where to keep the data; in memory by default.
    pub fn data(mut self, data: Data) -> Self {
        self.data = data;
        self
    }

    /// An API key to let in, `sk_…`; [`DEFAULT_API_KEY`] if none is given.
    ///
    /// May be called again for more keys. Each has idempotency keys of its own; they share
    /// everything else. The first is the one that [`LocalServer::api_key`](crate::LocalServer::api_key) gives back.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_keys.push(key.into());
        self
    }

    /// An organization that exists from the start, `org_…`; [`DEFAULT_ORGANIZATION`] if none is
    /// given. May be called again for more.
    ///
    /// On a file, organizations of earlier runs are there too.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organizations.push(id.into());
        self
    }

    /// The clock; the machine's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// How long an export is `pending`, by the server's [clock](Self::clock);
    /// [`DEFAULT_EXPORT_DELAY`] by default.
    ///
    /// With zero it is ready when it is asked for first; the answer that creates it says `pending`
    /// all the same.
    pub fn export_delay(mut self, delay: Duration) -> Self {
        self.export_delay = delay;
        self
    }

    /// Answers 429 with `Retry-After` to what exceeds so many requests of one API key within `per`,
    /// by the server's [clock](Self::clock). Off by default; [`SERVICE_RATE_LIMIT`] is what the
    /// service allows.
    ///
    /// A window begins with the key's first request and is followed by the next one. The server's
    /// own routes are not counted.
    ///
    /// ```
    /// use audit_server::{LocalServer, SERVICE_RATE_LIMIT};
    ///
    /// let (requests, per) = SERVICE_RATE_LIMIT;
    /// let server = LocalServer::builder().rate_limit(requests, per).start()?;
    /// # Ok::<(), audit_server::StartError>(())
    /// ```
    pub fn rate_limit(mut self, requests: u32, per: Duration) -> Self {
        self.rate_limit = Some((requests, per));
        self
    }

    /// How long a client may take to send the head of a request, and then how long to send its
    /// body; [`DEFAULT_READ_TIMEOUT`] by default. A connection that is kept open without a request
    /// is closed after this time too.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }
}

impl fmt::Debug for LocalServerBuilder {
    /// Leaves out the API keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServerBuilder")
            .field("listen", &self.listen)
            .field("allow_remote", &self.allow_remote)
            .field("data", &self.data)
            .field("organizations", &self.organizations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_api_key() {
        let builder = LocalServerBuilder::new().api_key("sk_secret");
        assert!(!format!("{builder:?}").contains("secret"));
    }
}
