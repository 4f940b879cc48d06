//! Work without a request: a consumer of a queue, whose messages say who asked, and a clean-up that
//! runs by the clock.
//!
//! Each piece of work has a scope of its own, which ends with it; so nothing of one job is left for
//! the next, also when it panics. `cargo run -p examples --bin worker` runs it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::{Actor, Recorder, Scope, audited};
use tokio::sync::mpsc;

/// A document that somebody wants deleted, as the service that took the request put it into the
/// queue.
#[derive(Clone, Debug)]
pub struct Message {
    /// The member who asked; a message without one is of unknown origin.
    pub member: Option<String>,
    /// Whose document it is.
    pub organization: String,
    /// The document.
    pub document: u32,
}

/// Documents and their copies in other places, in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    documents: Arc<Mutex<BTreeMap<u32, Entry>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    organization: String,
    expired: bool,
}

/// There is no such document in the organization.
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

    /// The expired documents of each organization.
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

/// Works off the queue until it is closed and empty.
///
/// A task for each message: a job that panics takes only itself down.
pub async fn consume(mut queue: mpsc::Receiver<Message>, archive: Archive, recorder: Recorder) {
    while let Some(message) = queue.recv().await {
        let mut scope = recorder.scope().organization(message.organization.as_str());
        if let Some(member) = &message.member {
            scope = scope.actor(Actor::user(member));
        }
        let job = delete_everywhere(archive.clone(), message);
        if let Err(error) = tokio::spawn(scope.run(job)).await {
            tracing::error!("a job came to no end: {error}");
        }
    }
}

/// Deletes a document and its copy, side by side. The task for the copy takes the scope along: what
/// it does, it does for the same member.
async fn delete_everywhere(archive: Archive, message: Message) {
    let copy = delete_copy(message.document, format!("{}.copy", message.document));
    let copy = match Scope::current() {
        Some(scope) => tokio::spawn(scope.in_scope(copy)),
        None => tokio::spawn(copy),
    };
    if delete_document(&archive, &message.organization, message.document).is_err() {
        tracing::warn!(document = message.document, "there was nothing to delete");
    }
    if let Err(error) = copy.await {
        tracing::error!("a copy was not deleted: {error}");
    }
}

/// The copies of documents whose number is a multiple of this are on a disk that is gone.
pub const UNREADABLE: u32 = 13;

/// It panics where the disk is gone. That is left in on purpose: it leaves an event, too.
#[audited(action = "document.delete", target = "copy")]
async fn delete_copy(document: u32, copy: String) {
    assert!(
        !document.is_multiple_of(UNREADABLE),
        "the disk of the copy is gone"
    );
}

#[audited(action = "document.delete", target = "document")]
fn delete_document(archive: &Archive, organization: &str, document: u32) -> Result<(), Missing> {
    archive.remove(document, organization)
}

/// Deletes what has expired, at once and then at intervals, until `stop` is done.
pub async fn clean_up(
    archive: Archive,
    every: Duration,
    recorder: Recorder,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        // It blocks, so it has a thread of its own. A closure there finds no scope but the one that
        // it opens.
        let (archive, recorder) = (archive.clone(), recorder.clone());
        let sweep = tokio::task::spawn_blocking(move || sweep(&archive, &recorder));
        if let Err(error) = sweep.await {
            tracing::error!("a clean-up came to no end: {error}");
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// A scope for each organization, since each has its own log.
fn sweep(archive: &Archive, recorder: &Recorder) {
    for (organization, documents) in archive.expired() {
        let scope = recorder
            .scope()
            .actor(Actor::service("clean-up"))
            .organization(organization.as_str());
        scope.run_sync(|| {
            for document in documents {
                if delete_document(archive, &organization, document).is_err() {
                    tracing::info!(document, "somebody was faster");
                }
            }
        });
    }
}
