//! The state that all handlers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Transaction;

use crate::api_key::Keys;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::host::Hosts;
use crate::rate_limit::RateLimit;
use crate::sign::Signer;
use crate::store::{StoreError, Writer, enforce_retention};
use crate::subscribe::Subscribers;
use crate::timestamp::Timestamp;
use crate::validate::CompiledSchema;

/// How many compiled schemas are kept; beyond it the cache starts anew.
const COMPILED_SCHEMAS: usize = 1_024;

/// How often what is too old is deleted, and how many events of an organization go at once. Who
/// reads sees none of them anyway.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_ROWS: u32 = 5_000;

/// One server's state.
pub(crate) struct App {
    pub(crate) store: Arc<Writer>,
    pub(crate) keys: Keys,
    pub(crate) hosts: Hosts,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) subscribers: Subscribers,
    pub(crate) signer: Signer,
    /// How long an export is `pending`.
    pub(crate) export_delay: Duration,
    pub(crate) faults: Faults,
    pub(crate) rate_limit: Option<RateLimit>,
    /// How long a client may take to send the head of a request, and how long its body.
    pub(crate) read_timeout: Duration,
    /// By the schema's row id. Rows are immutable, so an entry is never stale.
    compiled: Mutex<HashMap<i64, Arc<CompiledSchema>>>,
}

/// What a server's state is made from.
pub(crate) struct Parts {
    pub(crate) store: Writer,
    pub(crate) keys: Keys,
    pub(crate) hosts: Hosts,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) signer: Signer,
    pub(crate) export_delay: Duration,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) read_timeout: Duration,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            store,
            keys,
            hosts,
            clock,
            signer,
            export_delay,
            rate_limit,
            read_timeout,
        } = parts;
        let compiled = Mutex::new(HashMap::new());
        Self {
            store: Arc::new(store),
            keys,
            hosts,
            clock,
            subscribers: Subscribers::open(),
            signer,
            export_delay,
            faults: Faults::default(),
            rate_limit,
            read_timeout,
            compiled,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Reads the trail after what its retention has ended is gone, in one transaction: nobody sees
    /// an event that is too old, even if the sweep has not come round to it.
    pub(crate) async fn read_trail<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let now = self.now();
        self.store
            .run(move |tx| {
                enforce_retention(tx, now, None)?;
                work(tx)
            })
            .await
    }

    /// As [`read_trail`](Self::read_trail), on the calling thread. Blocks.
    pub(crate) fn read_trail_blocking<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let now = self.now();
        self.store.transact(|tx| {
            enforce_retention(tx, now, None)?;
            work(tx)
        })
    }

    /// Ends the streams that have no end of their own, so that a shutdown need not wait for their
    /// readers.
    pub(crate) fn stop_streams(&self) {
        self.subscribers.end_watches();
    }

    /// Deletes what is too old, a part at a time, so that requests get in between. Never ends.
    pub(crate) async fn sweep(&self) {
        let mut turns = tokio::time::interval(SWEEP_EVERY);
        loop {
            turns.tick().await;
            loop {
                let now = self.now();
                let work = move |tx: &Transaction<'_>| enforce_retention(tx, now, Some(SWEEP_ROWS));
                match self.store.run(work).await {
                    Ok(0) => break,
                    Ok(events) => tracing::info!(events, "deleted at the end of their retention"),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the retention could not be enforced"
                        );
                        break;
                    }
                }
            }
        }
    }

    /// The compiled schema of this row, made by `compile` if it is not at hand.
    pub(crate) fn compiled<E>(
        &self,
        id: i64,
        compile: impl FnOnce() -> Result<CompiledSchema, E>,
    ) -> Result<Arc<CompiledSchema>, E> {
        let mut cache = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = cache.get(&id) {
            return Ok(Arc::clone(schema));
        }
        let schema = Arc::new(compile()?);
        if cache.len() >= COMPILED_SCHEMAS {
            cache.clear();
        }
        cache.insert(id, Arc::clone(&schema));
        Ok(schema)
    }
}
