//! The builder of a server, and its defaults.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// The API key of a server that has no other.
pub const DEFAULT_API_KEY: &str = "sk_test_local";

/// The organization of a server that has no other.
pub const DEFAULT_ORGANIZATION: &str = "org_local";

/// The default time for which an export is `pending`: long enough to expose a client that does not
/// poll.
pub const DEFAULT_EXPORT_DELAY: Duration = Duration::from_millis(250);

/// The limit of the service for one API key: 6,000 requests in 60 seconds
/// (<https://workos.com/docs/reference/rate-limits>).
pub const SERVICE_RATE_LIMIT: (u32, Duration) = (6_000, Duration::from_secs(60));

/// The default time for a client to send a head or a body.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The storage of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// In memory, until the server stops; the default. Only retention deletes accepted events, so a
    /// long-running server grows with them.
    #[default]
    Memory,
    /// In this SQLite file, which is created if it does not exist; its folder has to exist. SQLite
    /// keeps a `-wal` and a `-shm` file beside it while the server runs.
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
            // The system assigns a port for port 0, so that tests do not collide.
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

    /// Sets the address to listen on; `127.0.0.1` and a free port by default.
    pub fn listen(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.listen = addr.into();
        self
    }

    /// Allows [`listen`](Self::listen) to name an address that other machines can reach; `false` by
    /// default.
    ///
    /// On such an address the server accepts any `Host`, and its own routes under `/_local` require
    /// the API key.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Sets the storage; in memory by default.
    pub fn data(mut self, data: Data) -> Self {
        self.data = data;
        self
    }

    /// Adds an accepted API key, `sk_…`; [`DEFAULT_API_KEY`] if none is added.
    ///
    /// May be called again for more keys. Idempotency keys are separate for each API key;
    /// everything else is shared. [`LocalServer::api_key`](crate::LocalServer::api_key) returns the
    /// first.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_keys.push(key.into());
        self
    }

    /// Adds an organization that exists from the start, `org_…`; [`DEFAULT_ORGANIZATION`] if none
    /// is added. May be called again for more.
    ///
    /// A file also contains the organizations of earlier runs.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organizations.push(id.into());
        self
    }

    /// Sets the clock; the system clock by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets the time for which an export is `pending`, by the server's [clock](Self::clock);
    /// [`DEFAULT_EXPORT_DELAY`] by default.
    ///
    /// With zero it is ready at the first request for it; the response that creates it shows
    /// `pending` nevertheless.
    pub fn export_delay(mut self, delay: Duration) -> Self {
        self.export_delay = delay;
        self
    }

    /// Limits the requests of one API key to `requests` within `per`, by the server's
    /// [clock](Self::clock). Off by default; [`SERVICE_RATE_LIMIT`] is the limit of the service.
    ///
    /// A request beyond the limit is a 429 with `Retry-After`.
    ///
    /// A window begins with a key's first request and is followed by the next window. The server's
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

    /// Sets the time for a client to send the head of a request, and again for its body;
    /// [`DEFAULT_READ_TIMEOUT`] by default. An idle connection is also closed after this time.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }
}

impl fmt::Debug for LocalServerBuilder {
    /// Omits the API keys.
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
