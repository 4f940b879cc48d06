//! Promises of the spool.

use std::path::PathBuf;

use super::store::Guarantee;
use super::{Spool, SpoolError};
use crate::Event;

pub(super) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("made/audit.spool")
    }
}

pub(super) fn event(number: usize) -> Event {
    Event::builder("document.delete")
        .organization("org_1")
        .metadata("number", number)
        .build()
        .unwrap()
}

pub(super) async fn durable(spool: &Spool, event: &Event) -> Result<i64, SpoolError> {
    spool.append(event, Guarantee::Durable)?.await
}

pub(super) async fn pending(spool: &Spool) -> Vec<Event> {
    let mut events = Vec::new();
    for guarantee in [Guarantee::Durable, Guarantee::BestEffort] {
        let mut after = 0;
        loop {
            let page = spool.load(guarantee, after, 100).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.row;
            events.extend(page.into_iter().map(|spooled| spooled.event));
        }
    }
    events
}

#[tokio::test]
async fn what_was_told_to_be_on_disk_is_there_after_a_restart() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let (first, second) = (event(1), event(2));
    let row = durable(&spool, &first).await.unwrap();
    assert!(durable(&spool, &second).await.unwrap() > row);
    spool.close().await;

    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(pending(&spool).await, [first, second]);
    let status = spool.status();
    assert_eq!((status.pending, status.recovered), (2, 2));
}
