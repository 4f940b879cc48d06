//! Tests of the dispatcher with a spool.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::delivery::disk::Guarantee;
use crate::delivery::dispatcher::Dispatcher;
use crate::delivery::flush_barrier::Origin;
use crate::delivery::loader::{Loaded, Loader};
use crate::delivery::pending_event::PendingEvent;
use crate::delivery::ready_queue::ReadyQueue;
use crate::event::{Event, now_millis};
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::Spool;
use crate::spool::tests::corruption::RenumberedFile;
use crate::testing::FaultSink;

const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: u64 = 3_600_000;

fn event() -> Event {
    let event = Event::builder("document.delete").organization("org_1");
    event.build().unwrap()
}

/// Waits until nothing is left on the spool.
async fn drained(recorder: &Recorder) {
    while recorder.stats().spooled > 0 {
        recorder.flush(PATIENCE).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn fault_32_an_ambiguity_of_an_earlier_process_keeps_its_age() {
    for (hours, is_marked) in [(1, false), (25, true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        let spool = Spool::open(&path).unwrap();
        let event = event();
        let row = spool.append(&event, Guarantee::Durable).unwrap().await;
        spool.record_attempt(row.unwrap(), event.id(), now_millis() - hours * HOUR);
        spool.close().await;

        let sink = MemorySink::new();
        let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).unwrap());
        let recorder = builder.build().unwrap();
        drained(&recorder).await;
        let delivered = sink.events();
        assert_eq!(delivered[0].id(), event.id(), "the same key as before");
        let mark = delivered[0].metadata_value("maybe_duplicate");
        assert_eq!(mark.is_some(), is_marked, "{hours} hours");
    }
}

/// A spool of three durable events, of which one cannot be read any more; with its folder.
async fn damaged() -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let spool = Spool::open(&path).unwrap();
    let mut rows = Vec::new();
    for _ in 0..3 {
        let row = spool.append(&event(), Guarantee::Durable).unwrap().await;
        rows.push(row.unwrap());
    }
    spool.close().await;
    let database = rusqlite::Connection::open(&path).unwrap();
    let damage = "UPDATE pending SET event = x'00' WHERE row = ?1";
    assert_eq!(database.execute(damage, [rows[1]]).unwrap(), 1);
    drop(database);
    (folder, Spool::open(&path).unwrap())
}

#[tokio::test]
async fn unreadable_events_are_counted_as_lost_and_block_no_flush() {
    let (_folder, spool) = damaged().await;
    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).spool(spool);
    let recorder = builder.build().unwrap();
    drained(&recorder).await;
    let stats = recorder.stats();
    assert_eq!((stats.recovered, stats.delivered, stats.lost), (3, 2, 1));
    assert!(recorder.shutdown(PATIENCE).await.is_complete());
}

#[tokio::test]
async fn lost_events_of_an_earlier_process_end_no_flush_of_this_one() {
    let (_folder, spool) = damaged().await;
    let sink = FaultSink::discarding().hang();
    let recorder = Recorder::builder(sink).spool(spool).build().unwrap();
    while recorder.stats().lost == 0 {
        tokio::task::yield_now().await;
    }
    recorder.record_durable(event()).await.unwrap();
    let report = recorder.flush(Duration::from_millis(50)).await;
    assert_eq!((report.pending, report.lost), (1, 0));
}

#[tokio::test]
async fn a_refused_append_whose_result_is_unread_does_not_count_as_missing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
    let (_recorder, mut dispatcher) = Recorder::builder(MemorySink::new()).spool(spool).assemble();
    let is_looking = |dispatcher: &Dispatcher| dispatcher.loader.as_ref().unwrap().is_loading();
    dispatcher.pipeline.counters.appended_durable.add(1);
    dispatcher.pipeline.counters.unacknowledged.add(1);
    dispatcher.on_exhausted(1);
    assert!(!is_looking(&dispatcher));
    dispatcher.pipeline.counters.unacknowledged.subtract(1);
    dispatcher.on_exhausted(1);
    assert!(is_looking(&dispatcher));
}

#[tokio::test]
async fn corruption_check_rereads_only_redriven_events() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
    let mut loader = Loader::new(spool.clone());
    let event = event();
    let write = || async { spool.append(&event, Guarantee::Durable).unwrap().await };
    write().await.unwrap();
    let promised = |number| Origin::Spool(Guarantee::Durable, number);
    assert_eq!(page(&mut loader).await, [promised(0)]);

    assert!(loader.check_for_missing(Instant::now(), HashSet::from([event.id()])));
    assert!(matches!(loader.next().await, Loaded::Events(events) if events.is_empty()));
    // The same event in a new row.
    write().await.unwrap();
    assert_eq!(page(&mut loader).await, [promised(1)]);
}

/// Asks the loader for its next page, and gives the places of what came.
async fn page(loader: &mut Loader) -> Vec<Origin> {
    loader.begin(Instant::now(), 1, 0);
    match loader.next().await {
        Loaded::Events(events) => events.into_iter().map(|(_, origin)| origin).collect(),
        Loaded::Due(_) | Loaded::Sample(_) | Loaded::Exhausted { .. } => Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn durable_events_are_read_first_and_have_room_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let spool = Spool::open(&path).unwrap();
    for guarantee in [Guarantee::BestEffort, Guarantee::Durable] {
        for _ in 0..100 {
            spool.append(&event(), guarantee).unwrap().await.unwrap();
        }
    }
    spool.close().await;

    let spool = Spool::open(&path).unwrap();
    let mut loader = Loader::new(spool.clone());
    for _ in 0..200 {
        let row = spool.append(&event(), Guarantee::BestEffort).unwrap();
        row.await.unwrap();
    }
    let promise = || async { spool.append(&event(), Guarantee::Durable).unwrap().await };
    promise().await.unwrap();
    let promised = |number| Origin::Spool(Guarantee::Durable, number);
    assert_eq!(
        page(&mut loader).await,
        [promised(0)],
        "of all, what was promised"
    );
    assert_eq!(
        page(&mut loader).await,
        [],
        "there is no more of it, for now"
    );

    // New and old take turns from then on.
    let mut turns = Vec::new();
    for _ in 0..4 {
        loader.set_in_memory([0; 4]);
        turns.push(page(&mut loader).await[0]);
    }
    let new = |number| Origin::Spool(Guarantee::BestEffort, number);
    let recovered = Origin::Recovered;
    let promised_before = recovered(Guarantee::Durable);
    // The hundred durable ones of before are two pages.
    assert_eq!(turns, [new(0), promised_before, new(64), promised_before]);

    // There is room for no more of them.
    loader.set_in_memory([0, 128, 128, 128]);
    promise().await.unwrap();
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(page(&mut loader).await, [promised(1)]);
}

#[tokio::test]
async fn fault_16_events_hidden_by_corruption_are_found_when_missing() {
    let rows = RenumberedFile::new().await;
    for row in 60..100 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        rows.write(row, 0, &path);
        let mut loader = Loader::new(Spool::open(&path).unwrap());
        let mut found = HashSet::new();
        let mut in_memory = HashSet::new();
        while found.len() < 130 {
            loader.set_in_memory([0; 4]);
            loader.begin(Instant::now(), 1, 0);
            if !loader.is_loading() {
                // A stream rests.
                tokio::task::yield_now().await;
                continue;
            }
            match loader.next().await {
                Loaded::Events(events) => {
                    for (spooled, _) in events {
                        in_memory.insert(spooled.event.id());
                        assert!(found.insert(spooled.event.id()), "twice, row {row}");
                    }
                }
                Loaded::Due(_) | Loaded::Sample(_) => unreachable!("none was requested"),
                Loaded::Exhausted { .. } => {
                    let looks = loader.check_for_missing(Instant::now(), in_memory.clone());
                    assert!(looks, "missed, row {row}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn endless_durable_events_leave_turns_to_other_streams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let spool = Spool::open(&path).unwrap();
    let earlier = spool.append(&event(), Guarantee::Durable).unwrap();
    earlier.await.unwrap();
    spool.close().await;

    let spool = Spool::open(&path).unwrap();
    let mut loader = Loader::new(spool.clone());
    // More of them are in memory than of anything else may be.
    loader.set_in_memory([150, 0, 0, 0]);
    let mut pages = Vec::new();
    // One of them is that of a stream that is empty.
    for _ in 0..10 {
        let promise = spool.append(&event(), Guarantee::Durable).unwrap();
        promise.await.unwrap();
        pages.extend(page(&mut loader).await);
    }
    let mut expected: Vec<_> = (0..8)
        .map(|number| Origin::Spool(Guarantee::Durable, number))
        .collect();
    expected.push(Origin::Recovered(Guarantee::Durable));
    assert_eq!(pages, expected);
}

#[test]
fn what_was_promised_goes_before_what_was_not() {
    let now = Instant::now();
    let open = |origin| {
        let mut open = PendingEvent::new(event(), 0, now);
        open.origin = origin;
        open
    };
    let mut backlog = ReadyQueue::default();
    backlog.add(&open(Origin::Queue(0)), 1);
    backlog.add(&open(Origin::Recovered(Guarantee::BestEffort)), 2);
    backlog.add(&open(Origin::Recovered(Guarantee::Durable)), 6);
    backlog.add(&open(Origin::Spool(Guarantee::Durable, 0)), 3);
    backlog.add(&open(Origin::Spool(Guarantee::BestEffort, 0)), 5);
    let order: Vec<_> = std::iter::from_fn(|| backlog.next()).collect();
    assert_eq!(order, [6, 3, 1, 2, 5]);
    assert!(!backlog.has_next());
}

/// Returns the time of the first attempt of each pending event in a file.
fn first_attempts(path: &std::path::Path) -> Vec<Option<i64>> {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database
        .prepare("SELECT first_attempt FROM pending ORDER BY row")
        .unwrap();
    let times = statement.query_map([], |row| row.get(0)).unwrap();
    times.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn fault_52_an_attempt_whose_result_is_not_known_is_kept_over_a_shutdown() {
    // In flight at the deadline, failed before it, and certainly not received.
    for (is_durable, sink, is_kept) in [
        (false, FaultSink::discarding().hang(), true),
        (true, FaultSink::discarding().hang(), true),
        (false, FaultSink::discarding().fail_for(PATIENCE), true),
        (true, FaultSink::discarding().fail_for(PATIENCE), true),
        (true, not_sent(), false),
        (false, not_sent(), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        let before = now_millis();
        let spool = Spool::open(&path).unwrap();
        let recorder = Recorder::builder(sink.clone())
            .spool(spool)
            .build()
            .unwrap();
        if is_durable {
            recorder.record_durable(event()).await.unwrap();
        } else {
            recorder.record(event()).unwrap();
        }
        sink.wait_for_attempts(1).await;
        let report = recorder.shutdown(Duration::from_millis(300)).await;
        assert_eq!(report.spooled, 1);
        let kept = first_attempts(&path);
        let is_plausible = |millis: i64| (before..=now_millis()).contains(&(millis as u64));
        assert_eq!(kept.len(), 1);
        assert_eq!(
            kept[0].is_some_and(is_plausible),
            is_kept,
            "{is_durable} {kept:?}"
        );
    }
}

fn not_sent() -> FaultSink {
    FaultSink::discarding()
        .respond_with(|_, _| Err(crate::sink::Fault::retryable("refused").not_sent()))
}

#[tokio::test]
async fn fault_58_totals_that_are_too_small_leave_no_event_unread() {
    for total in [0, 3] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        let spool = Spool::open(&path).unwrap();
        for _ in 0..10 {
            let append = spool.append(&event(), Guarantee::Durable).unwrap();
            append.await.unwrap();
        }
        spool.close().await;
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .execute("UPDATE totals SET pending = ?1", [total])
            .unwrap();
        drop(database);
        let sink = MemorySink::new();
        let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).unwrap());
        let recorder = builder.build().unwrap();
        for _ in 0..5 {
            recorder.record_durable(event()).await.unwrap();
        }
        assert!(recorder.flush(PATIENCE).await.is_complete(), "{total}");
        while sink.events().len() < 15 {
            tokio::task::yield_now().await;
        }
        assert!(recorder.shutdown(PATIENCE).await.is_complete(), "{total}");
        let stats = recorder.stats();
        assert_eq!((stats.recovered, stats.delivered), (10, 15), "{total}");
    }
}
