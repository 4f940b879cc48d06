//! Tests of the spool against faults of the disk, the file and other processes.

mod backlog;
pub(crate) mod corruption;
mod dead_letters;
mod failed_commits;
mod files;
mod first_page;
mod full_disk;
mod inspect;
mod ownership;
mod placement;
mod power_loss;
pub(crate) mod stalled;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::event::Event;
use crate::spool::error::SpoolError;
use crate::spool::handle::Spool;
use crate::spool::rows::Guarantee;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("made/audit.spool")
    }
}

/// Waits until a condition holds that the spool's thread establishes.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

/// Creates a sparse reserve, which takes no time.
fn reserve_beside(file: &Path) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let reserve = std::fs::File::create(super::paths::with_suffix(file, ".reserve")).unwrap();
    reserve.set_len(1024 * 1024).unwrap();
}

fn event(number: usize) -> Event {
    Event::builder("document.delete")
        .organization("org_1")
        .metadata("number", number)
        .build()
        .unwrap()
}

async fn durable(spool: &Spool, event: &Event) -> Result<i64, SpoolError> {
    spool.append(event, Guarantee::Durable)?.await
}

async fn pending(spool: &Spool) -> Vec<Event> {
    let mut events = Vec::new();
    for guarantee in [Guarantee::Durable, Guarantee::BestEffort] {
        let mut after = 0;
        loop {
            let page = spool.load(guarantee, after, 100).await.unwrap();
            after = page.after;
            events.extend(page.events.into_iter().map(|spooled| spooled.event));
            if page.is_last {
                break;
            }
        }
    }
    events
}

#[tokio::test]
async fn acknowledged_appends_survive_a_restart() {
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

#[tokio::test]
async fn delivered_events_are_deleted_and_the_first_attempt_is_kept() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let events = [event(1), event(2), event(3)];
    let first = durable(&spool, &events[0]).await.unwrap();
    let second = durable(&spool, &events[1]).await.unwrap();
    spool.record_attempt(second, events[1].id(), 7_000);
    spool.record_attempt(second, events[1].id(), 9_000);
    spool.acknowledge(first, events[0].id());
    spool.close().await;

    let spool = Spool::open(folder.file()).unwrap();
    let left = spool.load(Guarantee::Durable, 0, 10).await.unwrap().events;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].row, left[0].first_attempt), (second, Some(7_000)));
    let third = durable(&spool, &events[2]).await.unwrap();
    spool.acknowledge(second, events[1].id());
    spool.acknowledge(third, events[2].id());
    spool.close().await;
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(
        (spool.status().pending, spool.status().pending_bytes),
        (0, 0)
    );
    assert!(
        durable(&spool, &event(4)).await.unwrap() > third,
        "a row id is never reused, even after its row is deleted"
    );
}

#[tokio::test]
async fn each_guarantee_is_read_separately_and_in_order() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    for number in 0..10 {
        match number % 2 {
            0 => drop(durable(&spool, &event(number)).await.unwrap()),
            _ => spool.enqueue(&event(number)).unwrap(),
        }
    }
    until("all are written", || spool.status().pending == 10);
    for (guarantee, first) in [(Guarantee::Durable, 0), (Guarantee::BestEffort, 1)] {
        let page = spool.load(guarantee, 0, 3).await.unwrap();
        let rest = spool.load(guarantee, page.after, 3).await.unwrap();
        let numbers: Vec<_> = page
            .events
            .iter()
            .chain(&rest.events)
            .map(|spooled| number_of(&spooled.event))
            .collect();
        let expected: Vec<_> = (first..10)
            .step_by(2)
            .map(|number| number.to_string())
            .collect();
        assert_eq!(numbers, expected);
    }
}

fn number_of(event: &Event) -> String {
    event.metadata_value("number").unwrap().to_string()
}

#[tokio::test]
async fn spool_at_its_limit_refuses_events_until_some_are_delivered() {
    let folder = Folder::new();
    let size = event(1).to_packed().len() as u64 + super::totals::ROW_BYTES;
    let spool = Spool::builder(folder.file())
        .max_bytes(2 * size)
        .open()
        .unwrap();
    let written = event(1);
    let row = durable(&spool, &written).await.unwrap();
    spool.enqueue(&event(2)).unwrap();
    assert!(durable(&spool, &event(3)).await.unwrap_err().is_full());
    assert!(spool.enqueue(&event(3)).unwrap_err().is_full());
    spool.acknowledge(row, written.id());
    until("the row is gone", || {
        spool.status().pending_bytes == size && spool.status().pending == 1
    });
    until("there is room", || spool.enqueue(&event(4)).is_ok());
}

#[tokio::test]
async fn full_inbox_refuses_events_and_loses_none() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let event = event(1);
    let taken = (0..40_000)
        .filter(|_| spool.enqueue(&event).is_ok())
        .count();
    spool.close().await;
    assert!(spool.enqueue(&event).unwrap_err().is_closed());
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().pending, taken as u64);
}
