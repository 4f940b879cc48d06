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

/// The capacity of the cache of compiled schemas; a full cache is cleared.
const MAX_COMPILED_SCHEMAS: usize = 1_024;

/// The interval of the retention sweep, and the events of one organization deleted per transaction.
/// Reads never return expired events, so the sweep may lag.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
const SWEEP_ROWS: u32 = 5_000;

/// The state of one server.
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) keys: ApiKeys,
    pub(crate) hosts: Hosts,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) subscribers: Subscribers,
    pub(crate) signer: Signer,
    /// The time for which an export is `pending`.
    pub(crate) export_delay: Duration,
    pub(crate) faults: FaultList,
    pub(crate) rate_limit: Option<RateLimit>,
    /// The time limit for receiving the head of a request, and again for its body.
    pub(crate) read_timeout: Duration,
    /// Keyed by the schema's row id. Rows are immutable, so an entry is never stale.
    compiled_schemas: Mutex<HashMap<i64, Arc<CompiledSchema>>>,
}

/// The parts that a server's state is built from.
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

    /// Reads the audit log in a transaction that first deletes expired events, so that a read never
    /// returns one that the sweep has not reached yet.
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

    /// Ends the open-ended streams, so that a shutdown does not wait for their readers.
    pub(crate) fn stop_streams(&self) {
        self.subscribers.end_watches();
    }

    /// Deletes expired events in small transactions, so that requests run in between. Never
    /// returns.
    pub(crate) async fn sweep(&self) {
        let mut interval = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            interval.tick().await;
            loop {
                let now = self.now();
                let work = move |tx: &Transaction<'_>| enforce_retention(tx, now, Some(SWEEP_ROWS));
                match self.store.run(work).await {
                    Ok(0) => break,
                    Ok(events) => tracing::info!(events, "deleted events past their retention"),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "could not enforce the retention"
                        );
                        break;
                    }
                }
            }
        }
    }

    /// Returns the compiled schema of this row, from the cache or from `compile`.
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
        if cache.len() >= MAX_COMPILED_SCHEMAS {
            cache.clear();
        }
        cache.insert(id, Arc::clone(&schema));
        Ok(schema)
    }
}
