//! Jobs without a request: a consumer of a queue, whose messages name the member, and a periodic
//! clean-up.
//!
//! Each job has its own scope, which ends with the job. So no state of a job reaches the next one,
//! also after a panic. `cargo run -p examples --bin worker` runs both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Actor, Recorder, Scope, audited};
use tokio::sync::mpsc;

/// A request to delete a document, as another service has put it into the queue.
#[derive(Clone, Debug)]
pub struct Message {
    /// The member that requested it, if known.
    pub member: Option<String>,
    /// The organization that owns the document.
    pub organization: String,
    /// The document.
    pub document: u32,
}

/// Documents in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    documents: Arc<Mutex<BTreeMap<u32, Entry>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    organization: String,
    expired: bool,
}

/// The error that an organization has no such document.
#[derive(Debug)]
pub struct Missing;

impl Archive {
    /// Adds a document.
    pub fn add(&self, document: u32, organization: &str, expired: bool) {
        let organization = organization.to_owned();
        self.documents().insert(
            document,
            Entry {
                organization,
                expired,
            },
        );
    }

    fn remove(&self, document: u32, organization: &str) -> Result<(), Missing> {
        let mut documents = self.documents();
        let known = documents.get(&document);
        if known.is_none_or(|entry| entry.organization != organization) {
            return Err(Missing);
        }
        documents.remove(&document);
        Ok(())
    }

    /// Returns the expired documents of each organization.
    fn expired(&self) -> BTreeMap<String, Vec<u32>> {
        let mut expired = BTreeMap::<_, Vec<_>>::new();
        for (document, entry) in self.documents().iter().filter(|(_, entry)| entry.expired) {
            let documents = expired.entry(entry.organization.clone()).or_default();
            documents.push(*document);
        }
        expired
    }

    fn documents(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processes messages until the queue is closed and empty.
///
/// Each job runs in its own task, so that a panic ends only that job.
pub async fn consume(mut queue: mpsc::Receiver<Message>, archive: Archive, recorder: Recorder) {
    while let Some(message) = queue.recv().await {
        let mut scope = recorder.scope().organization(message.organization.as_str());
        if let Some(member) = &message.member {
            scope = scope.actor(Actor::user(member));
        }
        let job = delete_everywhere(archive.clone(), message);
        if let Err(error) = tokio::spawn(scope.run(job)).await {
            tracing::error!("job failed: {error}");
        }
    }
}

/// Deletes a document and its copy concurrently.
///
/// The task for the copy carries the scope, so both events have the same actor.
async fn delete_everywhere(archive: Archive, message: Message) {
    let copy = delete_copy(message.document, format!("{}.copy", message.document));
    let copy = match Scope::current() {
        Some(scope) => tokio::spawn(scope.in_scope(copy)),
        None => tokio::spawn(copy),
    };
    if delete_document(&archive, &message.organization, message.document).is_err() {
        tracing::warn!(document = message.document, "no such document to delete");
    }
    if let Err(error) = copy.await {
        tracing::error!("failed to delete a copy: {error}");
    }
}

/// Copies of documents whose number is a multiple of this are on a failed disk.
pub const UNREADABLE: u32 = 13;

/// Deletes a copy. It panics if the disk has failed, on purpose: the event is `panicked`.
#[audited(action = "document.delete", target = "copy")]
async fn delete_copy(document: u32, copy: String) {
    assert!(
        !document.is_multiple_of(UNREADABLE),
        "the disk of the copy has failed"
    );
}

#[audited(action = "document.delete", target = "document")]
fn delete_document(archive: &Archive, organization: &str, document: u32) -> Result<(), Missing> {
    archive.remove(document, organization)
}

/// Deletes expired documents, immediately and then periodically, until `stop` completes.
pub async fn clean_up(
    archive: Archive,
    interval: Duration,
    recorder: Recorder,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        // It blocks, so it runs on a blocking thread. There is no current scope on that thread.
        let (archive, recorder) = (archive.clone(), recorder.clone());
        let sweep = tokio::task::spawn_blocking(move || sweep(&archive, &recorder));
        if let Err(error) = sweep.await {
            tracing::error!("clean-up failed: {error}");
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// Deletes expired documents in one scope for each organization, since each has its own log.
fn sweep(archive: &Archive, recorder: &Recorder) {
    for (organization, documents) in archive.expired() {
        let scope = recorder
            .scope()
            .actor(Actor::service("clean-up"))
            .organization(organization.as_str());
        scope.run_sync(|| {
            for document in documents {
                if delete_document(archive, &organization, document).is_err() {
                    tracing::info!(document, "the document was already deleted");
                }
            }
        });
    }
}
