//! The state that all handlers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Transaction;

use crate::api_key::ApiKeys;
use crate::clock::Clock;
use crate::fault::FaultList;
use crate::host::Hosts;
use crate::rate_limit::RateLimit;
use crate::signer::Signer;
use crate::store::{Store, StoreError, enforce_retention};
use crate::subscription::Subscribers;
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
    pub(crate) store: Arc<Store>,
    pub(crate) keys: ApiKeys,
    pub(crate) hosts: Hosts,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) subscribers: Subscribers,
    pub(crate) signer: Signer,
    /// How long an export is `pending`.
    pub(crate) export_delay: Duration,
    pub(crate) faults: FaultList,
    pub(crate) rate_limit: Option<RateLimit>,
    /// How long a client may take to send the head of a request, and how long its body.
    pub(crate) read_timeout: Duration,
    /// By the schema's row id. Rows are immutable, so an entry is never stale.
    compiled_schemas: Mutex<HashMap<i64, Arc<CompiledSchema>>>,
}

/// What a server's state is made from.
pub(crate) struct AppConfig {
    pub(crate) store: Store,
    pub(crate) keys: ApiKeys,
    pub(crate) hosts: Hosts,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) signer: Signer,
    pub(crate) export_delay: Duration,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) read_timeout: Duration,
}

impl App {
    pub(crate) fn new(config: AppConfig) -> Self {
        let AppConfig {
            store,
            keys,
            hosts,
            clock,
            signer,
            export_delay,
            rate_limit,
            read_timeout,
        } = config;
        let compiled_schemas = Mutex::new(HashMap::new());
        Self {
            store: Arc::new(store),
            keys,
            hosts,
            clock,
            subscribers: Subscribers::open(),
            signer,
            export_delay,
            faults: FaultList::default(),
            rate_limit,
            read_timeout,
            compiled_schemas,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Reads the trail after what its retention has ended is gone, in one transaction: nobody sees
    /// an event that is too old, even if the sweep has not come round to it.
    pub(crate) async fn read_audit_log<T: Send + 'static>(
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

    /// As [`read_audit_log`](Self::read_audit_log), on the calling thread. Blocks.
    pub(crate) fn read_audit_log_blocking<T>(
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
    pub(crate) fn compiled_schema<E>(
        &self,
        id: i64,
        compile: impl FnOnce() -> Result<CompiledSchema, E>,
    ) -> Result<Arc<CompiledSchema>, E> {
        let mut cache = self
            .compiled_schemas
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
