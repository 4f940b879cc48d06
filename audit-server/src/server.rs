//! The running server: its thread and its public methods.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::api_key::{ApiKeys, is_api_key};
use crate::app::{App, AppConfig};
use crate::config::{DEFAULT_API_KEY, DEFAULT_ORGANIZATION, Data, LocalServerBuilder};
use crate::error::{ErrorKind, QueryError, StartError};
use crate::fault::Fault;
use crate::host::Hosts;
use crate::rate_limit::RateLimit;
use crate::records::{EventFilter, Organization, Stats, StoredEvent, is_organization_id};
use crate::serve::{SHUTDOWN_GRACE, serve};
use crate::signer::Signer;
use crate::store::{self, Store};
use crate::subscription::Subscription;

/// Threads for the database. One transaction runs at a time, so more threads would only queue.
const DATABASE_THREADS: usize = 2;

/// A server that implements the WorkOS Audit Logs API on this machine.
///
/// It runs on its own thread with its own runtime, so it works for sync and async callers alike.
/// Its methods are synchronous; those that read from the database block the calling thread for as
/// long as SQLite takes, which is microseconds in memory.
///
/// Dropping it shuts the server down as [`shutdown`](Self::shutdown) does.
///
/// ```
/// use audit_server::LocalServer;
///
/// let server = LocalServer::start()?;
/// println!("export WORKOS_API_KEY={} WORKOS_BASE_URL={}", server.api_key(), server.url());
/// // … let the code under test send its events …
/// assert_eq!(server.events()?.len(), 0);
/// server.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalServer {
    app: Arc<App>,
    addr: SocketAddr,
    url: String,
    api_key: String,
    running: Option<Running>,
}

/// The handles to stop the server thread.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl LocalServer {
    /// Returns a builder, for a server that differs from the default.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::new()
    }

    /// Starts an in-memory server on a free port of 127.0.0.1, with the key [`DEFAULT_API_KEY`] and
    /// the organization [`DEFAULT_ORGANIZATION`].
    ///
    /// # Errors
    /// [`StartError`] if the machine has no port, thread or memory left.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// Returns the base URL, such as `http://127.0.0.1:4100`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address the server listens on, with the actual port if port 0 was requested.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the first API key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the organizations, oldest first, including those added over HTTP.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn organizations(&self) -> Result<Vec<Organization>, QueryError> {
        Ok(self.app.store.transact(store::list_organizations)?)
    }

    /// Returns all stored events, oldest first: every accepted one, and the last 1,000 rejected
    /// ones.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn events(&self) -> Result<Vec<StoredEvent>, QueryError> {
        self.events_where(&EventFilter::new())
    }

    /// Returns the stored events that match `filter`, oldest first.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn events_where(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, QueryError> {
        Ok(self
            .app
            .read_audit_log_blocking(|tx| store::list_events(tx, filter))?)
    }

    /// Returns the numbers of accepted, rejected and duplicate requests to create an event.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn stats(&self) -> Result<Stats, QueryError> {
        Ok(self.app.store.transact(store::stats)?)
    }

    /// Subscribes to the events that are stored from now on, accepted and rejected, in the order of
    /// their `seq`.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.app.subscribers.subscribe()
    }

    /// Waits for the first event that matches `filter`, already stored or still to come.
    ///
    /// Returns `None` after `timeout`, or if the server has stopped. Blocks the thread.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn wait_for(
        &self,
        filter: &EventFilter,
        timeout: Duration,
    ) -> Result<Option<StoredEvent>, QueryError> {
        let filter = filter.clone().limit(1);
        let started = Instant::now();
        // Subscribe before reading the store, so that no event falls in between. A received event
        // only triggers another read.
        let subscription = self.subscribe();
        loop {
            if let Some(event) = self.events_where(&filter)?.pop() {
                return Ok(Some(event));
            }
            let left = timeout.saturating_sub(started.elapsed());
            if subscription.recv_timeout(left).is_none() {
                return Ok(self.events_where(&filter)?.pop());
            }
            while subscription.try_recv().is_some() {}
        }
    }

    /// Adds a [`Fault`] for the next requests. If several faults match a request, the oldest
    /// applies.
    ///
    /// At most 100 faults are pending; adding one more removes the oldest.
    pub fn inject(&self, fault: Fault) {
        self.app.faults.add(fault);
    }

    /// Returns the pending faults, oldest first, each with its remaining `times`.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.app.faults.list()
    }

    /// Removes all pending faults.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// Stores `count` synthetic events directly, without HTTP requests; for measurements.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be written.
    #[doc(hidden)]
    pub fn seed_events(&self, count: u32) -> Result<(), QueryError> {
        Ok(crate::seed::seed(&self.app, count)?)
    }

    /// Stops the server and returns the final counts.
    ///
    /// No new connections are accepted, requests in progress have at most two seconds to finish,
    /// and then subscriptions end. Waits for the server thread; blocks, even inside an async
    /// function.
    ///
    /// # Errors
    /// [`QueryError`] if the counts cannot be read; the server has stopped anyway.
    pub fn shutdown(mut self) -> Result<Stats, QueryError> {
        self.stop();
        self.stats()
    }

    fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            // The receiver is gone if the thread has already ended.
            if stop.send(()).is_err() {
                tracing::debug!("the server thread had already ended");
            }
            if thread.join().is_err() {
                tracing::error!("the server thread panicked");
            }
        }
        self.app.subscribers.close();
    }
}

impl LocalServerBuilder {
    /// Starts the server on its own thread; returns once it listens.
    ///
    /// # Errors
    /// [`StartError`] if an argument is malformed, the address cannot be bound, or the database
    /// cannot be opened.
    pub fn start(self) -> Result<LocalServer, StartError> {
        let mut config = self;
        if config.api_keys.is_empty() {
            config.api_keys.push(DEFAULT_API_KEY.to_owned());
        }
        if config.organizations.is_empty() {
            config.organizations.push(DEFAULT_ORGANIZATION.to_owned());
        }
        check_config(&config)?;
        let (listener, addr) = listen(config.listen)?;
        let store = Store::open(&config.data).map_err(|source| match config.data {
            Data::Memory => ErrorKind::Memory { source },
            Data::File(path) => ErrorKind::Database { path, source },
        })?;
        let app = Arc::new(App::new(AppConfig {
            store,
            keys: ApiKeys::new(&config.api_keys),
            hosts: Hosts::new(addr),
            clock: config.clock,
            signer: Signer::new().map_err(|source| ErrorKind::Random { source })?,
            export_delay: config.export_delay,
            rate_limit: config
                .rate_limit
                .map(|(requests, per)| RateLimit::new(requests, per)),
            read_timeout: config.read_timeout,
        }));
        let now = app.now();
        app.store
            .transact(|tx| {
                config
                    .organizations
                    .iter()
                    .try_for_each(|id| store::add_organization(tx, id, None, now).map(drop))
            })
            .map_err(|source| ErrorKind::Seed { source })?;
        let running =
            spawn(listener, Arc::clone(&app)).map_err(|source| ErrorKind::Thread { source })?;
        let api_key = config.api_keys.swap_remove(0);
        Ok(LocalServer {
            app,
            addr,
            url: format!("http://{addr}"),
            api_key,
            running: Some(running),
        })
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for LocalServer {
    /// Omits the API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn check_config(config: &LocalServerBuilder) -> Result<(), ErrorKind> {
    if !config.api_keys.iter().all(|key| is_api_key(key)) {
        return Err(ErrorKind::ApiKey);
    }
    if let Some(id) = config
        .organizations
        .iter()
        .find(|id| !is_organization_id(id))
    {
        return Err(ErrorKind::Organization { id: id.clone() });
    }
    if !config.listen.ip().is_loopback() && !config.allow_remote {
        return Err(ErrorKind::Remote {
            addr: config.listen,
        });
    }
    Ok(())
}

fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ErrorKind> {
    let describe = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ErrorKind::AddressInUse { addr, source },
        _ => ErrorKind::Listen { addr, source },
    };
    let listener = TcpListener::bind(addr).map_err(describe)?;
    listener.set_nonblocking(true).map_err(describe)?;
    let bound = listener.local_addr().map_err(describe)?;
    Ok((listener, bound))
}

/// Starts the server thread; returns once its runtime exists and owns the listener.
fn spawn(listener: TcpListener, app: Arc<App>) -> io::Result<Running> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("audit-server".to_owned())
        .spawn(move || {
            // The runtime is created and dropped on this thread: a runtime must not be dropped
            // inside another one, where the caller may be.
            let prepared = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(DATABASE_THREADS)
                .thread_name("audit-server-db")
                .build()
                .and_then(|runtime| {
                    let entered = runtime.enter();
                    let listener = tokio::net::TcpListener::from_std(listener);
                    drop(entered);
                    Ok((runtime, listener?))
                });
            match prepared {
                Ok((runtime, listener)) => {
                    // The caller is waiting for this message, so the receiver exists.
                    if ready.send(Ok(())).is_ok() {
                        runtime.block_on(serve(listener, app, stopped));
                        runtime.shutdown_timeout(SHUTDOWN_GRACE);
                    }
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
    match started.recv() {
        Ok(Ok(())) => Ok(Running { stop, thread }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other(
            "the server thread ended before it was ready",
        )),
    }
}
