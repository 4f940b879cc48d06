//! A recorder with a spool: overflow from memory, events left at a shutdown, and recovery by the
//! next process.
#![cfg(all(feature = "spool", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use audit_core::testing::{FaultSink, assert_balanced};
use audit_core::{Event, EventId, MemorySink, Recorder, RecorderBuilder, Sink, Spool};

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

#[tokio::test]
async fn overflow_is_spooled_and_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let sink = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(sink.clone(), &path).capacity(10).build().unwrap();
    let recorded = record(&recorder, 1_000);
    let stats = recorder.stats();
    assert_eq!((stats.refused, stats.pending, stats.spooled), (0, 10, 990));
    assert_balanced(&recorder);
    assert_eq!(recorder.flush(MOMENT).await.pending, 1_000);

    sink.recover();
    assert!(recorder.flush(PATIENCE).await.is_complete());
    assert_eq!(recorder.stats().delivered, 1_000);
    assert_eq!(ids(sink.inner()), recorded);
    assert_eq!(sink.inner().events().len(), 1_000, "each once");
    assert_balanced(&recorder);
    assert!(recorder.shutdown(PATIENCE).await.is_complete());
}

#[tokio::test]
async fn events_left_at_the_deadline_are_delivered_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(unavailable, &path).capacity(50).build().unwrap();
    let mut recorded = record(&recorder, 200);
    let report = recorder.shutdown(MOMENT).await;
    assert_eq!((report.lost, report.spooled, report.pending), (0, 200, 0));
    assert_balanced(&recorder);
    assert!(recorder.record(event()).unwrap_err().is_closed());

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).build().unwrap();
    assert_eq!(recorder.stats().recovered, 200);
    recorded.extend(record(&recorder, 5));
    // A flush does not wait for events of another process.
    assert!(recorder.flush(PATIENCE).await.is_complete());
    while recorder.stats().spooled > 0 {
        recorder.flush(MOMENT).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(ids(&sink), recorded);
    assert_balanced(&recorder);
    recorder.shutdown(PATIENCE).await;
    let spool = Spool::open(&path).unwrap();
    assert_eq!(spool.status().recovered, 0, "delivered events are deleted");
}

#[tokio::test]
async fn dead_letter_is_stored_and_can_be_redriven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let sink = FaultSink::new(MemorySink::new()).reject_times(3);
    let recorder = builder(sink, &path).build().unwrap();
    record(&recorder, 5);
    recorder.flush(PATIENCE).await;
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.dead), (2, 3));
    recorder.shutdown(PATIENCE).await;

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).build().unwrap();
    let spool = recorder.spool().unwrap();
    let letters = spool.dead_letters(0, 10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[0].fault, "rejected on purpose");
    assert_eq!(spool.purge(vec![letters[0].row]).await.unwrap(), 1);
    let rows = letters.iter().map(|letter| letter.row).collect();
    assert_eq!(recorder.redrive_spooled(rows).await.unwrap(), 2);
    assert!(recorder.flush(PATIENCE).await.is_complete());
    let redriven = letters[1..].iter().map(|letter| letter.event.id());
    assert_eq!(ids(&sink), redriven.collect());
    assert_balanced(&recorder);
}

#[tokio::test]
async fn durable_event_is_on_disk_when_record_durable_returns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(unavailable, &path).build().unwrap();
    let events: Vec<_> = (0..10).map(|_| event()).collect();
    let written = events.iter().map(Event::id).collect::<BTreeSet<_>>();
    for event in events {
        recorder.record_durable(event).await.unwrap();
    }
    assert_balanced(&recorder);
    assert_eq!(recorder.stats().spooled, 10);
    recorder.shutdown(MOMENT).await;
    let late = recorder.record_durable(event()).await.unwrap_err();
    assert!(late.is_not_durable(), "{late}");

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).build().unwrap();
    while recorder.stats().spooled > 0 {
        recorder.flush(MOMENT).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(ids(&sink), written);
    recorder.shutdown(PATIENCE).await;
}

#[tokio::test]
async fn truncated_durable_event_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let recorder = builder(MemorySink::new(), &path).build().unwrap();
    let event = Event::builder("document.delete").metadata("reason", "x".repeat(501));
    recorder
        .record_durable(event.build().unwrap())
        .await
        .unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.truncated), (1, 1));
    recorder.shutdown(PATIENCE).await;
}

#[tokio::test]
async fn durable_event_without_a_spool_is_returned() {
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    let error = recorder.record_durable(event()).await.unwrap_err();
    assert!(error.is_not_durable());
    assert_eq!(error.into_event().action(), "document.delete");
    assert_eq!((recorder.stats().refused, recorder.stats().dropped), (1, 0));
}

#[tokio::test]
async fn backlog_does_not_delay_new_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    let recorder = builder(unavailable, &path).capacity(1).build().unwrap();
    record(&recorder, 5_000);
    recorder.shutdown(MOMENT).await;

    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).concurrency(1).build().unwrap();
    while sink.events().is_empty() {
        tokio::task::yield_now().await;
    }
    record(&recorder, 1);
    assert!(recorder.flush(PATIENCE).await.is_complete());
    let left = recorder.stats().spooled;
    assert!(
        left > 0,
        "the new event is delivered before the backlog ends"
    );
    recorder.shutdown(PATIENCE).await;
}

#[tokio::test]
async fn fault_05_shutdown_spools_more_events_than_the_write_queue_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    // More than the 8,192 events that the write queue holds.
    let recorder = builder(unavailable, &path).capacity(20_000);
    let recorder = recorder.build().unwrap();
    record(&recorder, 20_000);
    let report = recorder.shutdown(MOMENT).await;
    assert!(report.spooled + report.pending >= 20_000);
    // A disk that makes progress is waited for, beyond the deadline of the first call.
    let report = recorder.shutdown(PATIENCE).await;
    assert_eq!((report.spooled, report.lost), (20_000, 0));
    assert_balanced(&recorder);
    assert_eq!(Spool::open(&path).unwrap().status().recovered, 20_000);
}

#[tokio::test]
async fn durable_event_with_a_cancelled_wait_is_accepted_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let sink = MemorySink::new();
    let recorder = builder(sink.clone(), &path).build().unwrap();
    {
        let mut waiting = std::pin::pin!(recorder.record_durable(event()));
        assert!(futures_util::FutureExt::now_or_never(waiting.as_mut()).is_none());
    }
    assert!(recorder.flush(PATIENCE).await.is_complete());
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.delivered), (1, 1));
    assert_balanced(&recorder);
}
