//! The single connection, and the lock that serializes its transactions.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::open::{OpenError, open};
use crate::config::Data;

/// The reason a transaction failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database task ended early")]
    Task(#[from] tokio::task::JoinError),
}

/// The database: one connection, which writes and reads.
///
/// The lock is only ever taken on a thread that may block: tokio's pool for requests, the caller's
/// own for the synchronous API.
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    pub(crate) fn open(data: &Data) -> Result<Self, OpenError> {
        Ok(Self {
            connection: Mutex::new(open(data)?),
        })
    }

    /// Runs `work` in a transaction, which is committed if `work` succeeds and rolled back
    /// otherwise. Blocks.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.transact_then(work, |_| ())
    }

    /// As [`transact`](Self::transact), and calls `committed` before the next transaction can
    /// begin, so that its effects follow the order of the commits. It must be brief.
    pub(crate) fn transact_then<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
        committed: impl FnOnce(&T),
    ) -> Result<T, StoreError> {
        // A panic under the lock has rolled its transaction back, so the connection is still
        // usable.
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        committed(&value);
        Ok(value)
    }

    /// As [`transact`](Self::transact), on the pool of blocking threads.
    ///
    /// # Cancellation
    /// Once started, the transaction completes even if the future is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_then(work, |_| ()).await
    }

    /// As [`transact_then`](Self::transact_then), on the pool of blocking threads.
    pub(crate) async fn run_then<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        tokio::task::spawn_blocking(move || store.transact_then(work, committed)).await?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(store: &Store) -> i64 {
        store
            .transact(|tx| tx.query_row("SELECT count(*) FROM organizations", [], |row| row.get(0)))
            .unwrap()
    }

    #[test]
    fn failed_work_is_rolled_back() {
        let store = Store::open(&Data::Memory).unwrap();
        let result = store.transact(|tx| {
            tx.execute(
                "INSERT INTO organizations (id, created_at) VALUES ('org_1', 0)",
                [],
            )?;
            tx.execute("INSERT INTO nowhere VALUES (1)", [])
        });
        assert!(matches!(result, Err(StoreError::Sqlite(_))));
        assert_eq!(count(&store), 0);
    }

    #[test]
    fn store_is_usable_after_a_panic() {
        let store = Store::open(&Data::Memory).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.transact(|tx| -> rusqlite::Result<()> {
                tx.execute(
                    "INSERT INTO organizations (id, created_at) VALUES ('org_1', 0)",
                    [],
                )?;
                panic!("in the middle of a transaction")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(count(&store), 0);
    }
}
