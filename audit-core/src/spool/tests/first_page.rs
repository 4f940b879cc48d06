//! Fault 49: corruption of the pages on which all others depend.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::event::{Event, EventId};
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::handle::Spool;
use crate::spool::inspect::SpoolFile;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, pending, reserve_beside};
use crate::telemetry::HealthState;

const PAGE: usize = 4_096;
const PATIENCE: Duration = Duration::from_secs(60);
/// The pages of the file that is corrupted: those of the tables, after the map of pages.
const PENDING: usize = 3;
const TOTALS: usize = 7;

/// A spool of events that are not delivered, some of which are longer than a page.
struct Written {
    database: Vec<u8>,
    wal: Option<Vec<u8>>,
    pending: HashSet<EventId>,
}

impl Written {
    /// Writes `events` events, of which every fifth is long and all but the last `left` are
    /// delivered.
    async fn new(events: usize, left: usize, is_crashed: bool) -> Self {
        let folder = Folder::new();
        let spool = Spool::open(folder.file()).unwrap();
        let mut pending = HashSet::new();
        for number in 0..events {
            let event = if number % 5 == 4 {
                long_event(number)
            } else {
                event(number)
            };
            let row = durable(&spool, &event).await.unwrap();
            if number + left < events {
                spool.acknowledge(row, event.id());
            } else {
                pending.insert(event.id());
            }
        }
        let mut wal = None;
        if is_crashed {
            // The calls are made in order, so the deletions are on the disk as well.
            durable(&spool, &event(0)).await.map(drop).unwrap();
            wal = fs::read(with_suffix(&folder.file(), "-wal")).ok();
        }
        let mut database = fs::read(folder.file()).unwrap();
        spool.close().await;
        if !is_crashed {
            database = fs::read(folder.file()).unwrap();
        }
        Self {
            database,
            wal,
            pending,
        }
    }

    fn write(&self, database: &[u8], file: &Path) {
        reserve_beside(file);
        fs::write(file, database).unwrap();
        if let Some(wal) = &self.wal {
            fs::write(with_suffix(file, "-wal"), wal).unwrap();
        }
    }
}

fn long_event(number: usize) -> Event {
    let mut event = Event::builder("document.delete")
        .organization("org_1")
        .metadata("number", number);
    for key in 0..30 {
        event = event.metadata(&format!("text{key}"), "a text ".repeat(60));
    }
    event.build().unwrap()
}

/// Opens a copy with other bytes, and returns the ids of its events.
async fn salvaged(written: &Written, database: &[u8], what: &str) -> (HashSet<EventId>, Spool) {
    let folder = Folder::new();
    written.write(database, &folder.file());
    let spool = Spool::open(folder.file()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let events = pending(&spool).await;
    let ids: HashSet<_> = events.iter().map(Event::id).collect();
    assert_eq!(ids.len(), events.len(), "{what}: each event is there once");
    let new = event(1);
    durable(&spool, &new)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    spool.close().await;
    drop(spool);
    // The folder ends with this function, and the file was used to the end.
    let spool = Spool::open(folder.file()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let again: HashSet<_> = pending(&spool).await.iter().map(Event::id).collect();
    assert_eq!(again.len(), ids.len() + 1, "{what}");
    // This number matters only to a table that is created, which then fails.
    let findings = spool.verify().await.unwrap().findings;
    let is_harmless = |finding: &String| finding.contains("max rootpage");
    assert!(findings.iter().all(is_harmless), "{what}: {findings:?}");
    let status = spool.status();
    assert_eq!(
        (status.corrupt_rows, status.is_loss_unknown),
        (0, false),
        "{what}"
    );
    spool.close().await;
    (ids, spool)
}

#[tokio::test]
async fn fault_49_any_corruption_of_the_first_page_keeps_every_event() {
    let mut random = fastrand::Rng::with_seed(49);
    for is_crashed in [false, true] {
        let written = Written::new(30, 30, is_crashed).await;
        let mut expected = written.pending.len();
        if is_crashed {
            expected += 1;
        }
        let mut patterns: Vec<(usize, Vec<u8>)> = Vec::new();
        // The file's header and the page's own decide over all others. Of the text of the tables,
        // and of the unused bytes, some stand for all.
        let single = (0..160).chain((160..PAGE).step_by(23));
        for at in single {
            patterns.push((at, vec![written.database[at] ^ random.u8(1..)]));
        }
        for at in (0..160).step_by(4).chain((160..PAGE - 16).step_by(97)) {
            patterns.push((at, (0..4).map(|_| random.u8(..)).collect()));
            patterns.push((at, vec![0; 16]));
        }
        for at in (0..PAGE - 400).step_by(211) {
            patterns.push((at, vec![0xff; 400]));
        }
        patterns.push((0, vec![0; PAGE]));
        patterns.push((0, (0..PAGE).map(|_| random.u8(..)).collect()));
        for (at, bytes) in patterns {
            let what = format!("{} bytes at {at}, crashed: {is_crashed}", bytes.len());
            let mut database = written.database.clone();
            database[at..at + bytes.len()].copy_from_slice(&bytes);
            let (found, _) = salvaged(&written, &database, &what).await;
            assert_eq!(found.len(), expected, "{what}");
            assert!(written.pending.is_subset(&found), "{what}");
        }
    }
}

#[tokio::test]
async fn fault_49_delivered_events_stay_delivered_when_the_first_page_is_lost() {
    let written = Written::new(400, 25, false).await;
    let mut database = written.database.clone();
    database[..PAGE].fill(0);
    let (found, _) = salvaged(&written, &database, "deleted rows").await;
    assert_eq!(found, written.pending);
}

#[tokio::test]
async fn fault_49_delivered_events_come_back_rather_than_pending_ones_are_lost() {
    let written = Written::new(400, 25, false).await;
    let mut database = written.database.clone();
    // The map of pages, which says which are unused.
    database[..2 * PAGE].fill(0);
    let folder = Folder::new();
    written.write(&database, &folder.file());
    let spool = Spool::open(folder.file()).unwrap();
    let found: HashSet<_> = pending(&spool).await.iter().map(Event::id).collect();
    assert!(written.pending.is_subset(&found));
}

#[tokio::test]
async fn fault_49_lost_page_of_rows_is_counted_exactly() {
    let written = Written::new(200, 200, false).await;
    let mut database = written.database.clone();
    database[..PAGE].fill(0);
    let page = (PENDING..database.len() / PAGE)
        .filter(|page| database[page * PAGE] == 13 && *page != TOTALS - 1)
        .max_by_key(|page| database[page * PAGE + 4])
        .unwrap();
    let rows = u64::from(database[page * PAGE + 4]);
    assert!(rows > 1);
    database[page * PAGE..(page + 1) * PAGE].fill(0);
    let folder = Folder::new();
    written.write(&database, &folder.file());

    let spool = Spool::open(folder.file()).unwrap();
    let status = spool.status();
    assert_eq!((status.recovered, status.is_loss_unknown), (200, false));
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone()).spool(spool);
    let recorder = recorder.build().unwrap();
    while recorder.stats().spooled > 0 {
        tokio::task::yield_now().await;
    }
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.lost), (200 - rows, rows));
    recorder.shutdown(PATIENCE).await;
    let status = SpoolFile::open(folder.file()).unwrap().status().unwrap();
    assert_eq!((status.lost, status.is_loss_unknown), (rows, false));
}

#[tokio::test]
async fn fault_49_unknown_loss_is_never_reported_as_none() {
    let written = Written::new(200, 200, false).await;
    let folder = Folder::new();
    let mut database = written.database.clone();
    let totals = (TOTALS - 1) * PAGE;
    assert_eq!(database[totals], 13, "the page of the totals");
    database[..PAGE].fill(0);
    database[totals..totals + PAGE].fill(0);
    written.write(&database, &folder.file());

    let spool = Spool::open(folder.file()).unwrap();
    let status = spool.status();
    assert_eq!((status.recovered, status.is_loss_unknown), (200, true));
    assert_eq!(status.state, HealthState::Degraded);
    let recorder = Recorder::builder(MemorySink::new()).spool(spool);
    let recorder = recorder.build().unwrap();
    let reason = recorder.health().reason.unwrap();
    assert!(reason.contains("an unknown number of events is lost"));
    recorder.shutdown(PATIENCE).await;

    let status = || SpoolFile::open(folder.file()).unwrap().status().unwrap();
    assert!(status().is_loss_unknown, "the file keeps it");
    // Corrupt once more.
    let mut database = fs::read(folder.file()).unwrap();
    database[..PAGE].fill(0);
    fs::write(folder.file(), &database).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    assert!(!spool.status().is_loss_unknown, "this time nothing is lost");
    spool.close().await;
    assert!(status().is_loss_unknown, "the file keeps it");
}

#[tokio::test]
async fn fault_49_corrupt_version_is_not_taken_for_a_newer_one() {
    let written = Written::new(10, 10, false).await;
    for at in 60..64 {
        let mut database = written.database.clone();
        database[at] = 2;
        let (found, spool) = salvaged(&written, &database, "a corrupt version").await;
        assert_eq!(found, written.pending, "byte {at}");
        drop(spool);
    }
}
