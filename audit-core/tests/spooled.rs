//! A recorder with a spool: what finds no room in memory, what is left at a shutdown, and what a process left behind.
#![cfg(all(feature = "spool", feature = "testing"))]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use audit_core::testing::FaultSink;
use audit_core::{Event, EventId, MemorySink, Recorder, RecorderBuilder, Sink, Spool, Stats};

const PATIENCE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(100);

fn event() -> Event {
    Event::builder("document.delete")
        .organization("org_1")
        .build()
        .unwrap()
}

fn record(recorder: &Recorder, count: usize) -> BTreeSet<EventId> {
    (0..count)
        .map(|_| {
            let event = event();
            let id = event.id();
            recorder.record(event).unwrap();
            id
        })
        .collect()
}

fn builder(sink: impl Sink, spool: &Path) -> RecorderBuilder {
    Recorder::builder(sink).spool(Spool::open(spool).unwrap())
}

fn ids(sink: &MemorySink) -> BTreeSet<EventId> {
    sink.events().iter().map(Event::id).collect()
}

fn assert_balanced(stats: Stats) {
    assert_eq!(
        stats.accepted + stats.recovered + stats.generated,
        stats.delivered + stats.pending + stats.spooled + stats.dead + stats.lost,
        "{stats:?}"
    );
}

#[tokio::test]
async fn what_finds_no_room_in_memory_waits_on_disk_and_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let sink = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(sink.clone(), &path).capacity(10).build().unwrap();
    let recorded = record(&recorder, 1_000);
    let stats = recorder.stats();
    assert_eq!((stats.refused, stats.pending, stats.spooled), (0, 10, 990));
    assert_balanced(stats);
    assert_eq!(recorder.flush(MOMENT).await.pending, 1_000);

    sink.recover();
    let report = recorder.flush(PATIENCE).await;
    assert_eq!((report.delivered, report.pending), (1_000, 0));
    assert_eq!(ids(sink.inner()), recorded);
    assert_eq!(sink.inner().events().len(), 1_000, "each once");
    assert_balanced(recorder.stats());
    assert!(recorder.shutdown(PATIENCE).await.is_complete());
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_delivered_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let away = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(away, &path).capacity(50).build().unwrap();
    let mut recorded = record(&recorder, 200);
    let report = recorder.shutdown(MOMENT).await;
    assert_eq!((report.lost, report.spooled, report.pending), (0, 200, 0));
    assert_balanced(recorder.stats());
    assert!(recorder.record(event()).unwrap_err().is_closed());

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).build().unwrap();
    assert_eq!(recorder.stats().recovered, 200);
    recorded.extend(record(&recorder, 5));
    assert_eq!(
        recorder.flush(PATIENCE).await.delivered,
        5,
        "nobody waits for what another process accepted"
    );
    while recorder.stats().spooled > 0 {
        recorder.flush(MOMENT).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(ids(&sink), recorded);
    assert_balanced(recorder.stats());
    recorder.shutdown(PATIENCE).await;
    let spool = Spool::open(&path).unwrap();
    assert_eq!(spool.status().recovered, 0, "what was delivered is gone");
}

#[tokio::test]
async fn a_dead_letter_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let sink = FaultSink::new(MemorySink::new()).reject_times(3);
    let recorder = builder(sink, &path).build().unwrap();
    record(&recorder, 5);
    let report = recorder.flush(PATIENCE).await;
    assert_eq!((report.delivered, report.dead), (2, 3));
    recorder.shutdown(PATIENCE).await;
    assert_eq!(Spool::open(&path).unwrap().status().dead, 3);
}

#[tokio::test]
async fn a_long_backlog_does_not_delay_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let away = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(away, &path).capacity(1).build().unwrap();
    record(&recorder, 5_000);
    recorder.shutdown(MOMENT).await;

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).concurrency(1).build().unwrap();
    while sink.events().is_empty() {
        tokio::task::yield_now().await;
    }
    record(&recorder, 1);
    assert_eq!(recorder.flush(PATIENCE).await.delivered, 1);
    let left = recorder.stats().spooled;
    assert!(left > 0, "the backlog is not delivered first");
    recorder.shutdown(PATIENCE).await;
}
