//! A running server: its thread, and what its owner can ask it.

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

/// Threads for the database. One transaction runs at a time, so more would only wait in line.
const DATABASE_THREADS: usize = 2;

/// A server that speaks the WorkOS Audit Logs API on this machine.
///
/// It runs on a thread of its own with a runtime of its own, so it serves any caller, async or not.
/// Its methods are synchronous; those that read from the database block the calling thread for as
/// long as SQLite takes, which is microseconds in memory.
///
/// Dropping it shuts it down as [`shutdown`](Self::shutdown) does.
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

/// What it takes to stop.
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl LocalServer {
    /// Sets up a server other than the default one.
    pub fn builder() -> LocalServerBuilder {
        LocalServerBuilder::new()
    }

    /// Starts a server in memory on a free port of 127.0.0.1, with the key [`DEFAULT_API_KEY`] and
    /// the organization [`DEFAULT_ORGANIZATION`].
    ///
    /// # Errors
    /// [`StartError`] if the machine has no port, thread or memory left.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// The base URL, such as `http://127.0.0.1:4100`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on, with the port the system chose if it was asked to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The first of its API keys.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The organizations it knows, oldest first, those added over HTTP included.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn organizations(&self) -> Result<Vec<Organization>, QueryError> {
        Ok(self.app.store.transact(store::list_organizations)?)
    }

    /// All events it has stored, oldest first: every accepted one, and the last 1,000 rejected.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn events(&self) -> Result<Vec<StoredEvent>, QueryError> {
        self.events_where(&EventFilter::new())
    }

    /// The stored events that pass `filter`, oldest first.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn events_where(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, QueryError> {
        Ok(self
            .app
            .read_audit_log_blocking(|tx| store::list_events(tx, filter))?)
    }

    /// How many requests to create an event ended how.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn stats(&self) -> Result<Stats, QueryError> {
        Ok(self.app.store.transact(store::stats)?)
    }

    /// A feed of the events that are stored from now on, accepted and rejected, in the order of
    /// their `seq`.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.app.subscribers.subscribe()
    }

    /// Waits for the first event that passes `filter`, stored already or not, for at most
    /// `timeout`; `None` if none came, or if the server has stopped. Blocks the thread.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be read.
    pub fn wait_for(
        &self,
        filter: &EventFilter,
        timeout: Duration,
    ) -> Result<Option<StoredEvent>, QueryError> {
        let filter = filter.clone().limit(1);
        let begun = Instant::now();
        // Subscribed before the store is read, so that nothing falls in between. What is heard is
        // only a reason to look again.
        let news = self.subscribe();
        loop {
            if let Some(event) = self.events_where(&filter)?.pop() {
                return Ok(Some(event));
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if news.recv_timeout(left).is_none() {
                return Ok(self.events_where(&filter)?.pop());
            }
            while news.try_recv().is_some() {}
        }
    }

    /// Gives the next requests a [`Fault`] instead of what they came for. Of several faults that
    /// fit a request, the oldest is used.
    ///
    /// At most 100 wait at once; the oldest makes way for one more.
    pub fn inject(&self, fault: Fault) {
        self.app.faults.add(fault);
    }

    /// The faults that are left, oldest first, each with the times that are left of it.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.app.faults.list()
    }

    /// Forgets the faults that are left.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// Stores so many made-up events, without a request each; for measurements.
    ///
    /// # Errors
    /// [`QueryError`] if the database cannot be written.
    #[doc(hidden)]
    pub fn seed_events(&self, count: u32) -> Result<(), QueryError> {
        Ok(crate::seed::seed(&self.app, count)?)
    }

    /// Stops the server and waits for its thread: no new connections, at most two seconds for
    /// requests under way, then subscriptions end.
    ///
    /// Answers with the final counts. Blocks, also inside an async function.
    ///
    /// # Errors
    /// [`QueryError`] if the counts cannot be read; the server has stopped all the same.
    pub fn shutdown(mut self) -> Result<Stats, QueryError> {
        self.stop();
        self.stats()
    }

    fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            // A receiver that is gone means that the thread has ended already.
            if stop.send(()).is_err() {
                tracing::debug!("the server had stopped by itself");
            }
            if thread.join().is_err() {
                tracing::error!("the server's thread panicked");
            }
        }
        self.app.subscribers.close();
    }
}

impl LocalServerBuilder {
    /// Starts the server on a thread of its own, and returns once it listens.
    ///
    /// # Errors
    /// [`StartError`] if an argument is not of the right form, the address cannot be listened on,
    /// or the database cannot be opened.
    pub fn start(self) -> Result<LocalServer, StartError> {
        let mut config = self;
        if config.api_keys.is_empty() {
            config.api_keys.push(DEFAULT_API_KEY.to_owned());
        }
        if config.organizations.is_empty() {
            config.organizations.push(DEFAULT_ORGANIZATION.to_owned());
        }
        check(&config)?;
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
    /// Leaves out the API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn check(config: &LocalServerBuilder) -> Result<(), ErrorKind> {
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

/// Starts the thread, and returns once its runtime exists and owns the listener.
fn spawn(listener: TcpListener, app: Arc<App>) -> io::Result<Running> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("audit-server".to_owned())
        .spawn(move || {
            // Made and dropped on this thread: a runtime may not be dropped inside another one,
            // where the caller may be.
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
                    // The caller waits for this line, so it cannot be gone.
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
            "the server's thread ended before it served",
        )),
    }
}
