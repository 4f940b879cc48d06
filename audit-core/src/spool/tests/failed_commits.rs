//! Fault 15: commits that fail.

use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::faults::Faults;
use crate::spool::handle::Spool;
use crate::spool::rows::Guarantee;
use crate::spool::tests::{Folder, durable, event, number_of, pending, until};
use crate::telemetry::HealthState;

async fn survives_a_failure(inject: fn(&Faults)) {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    let mut acknowledged = Vec::new();
    for number in 0..3 {
        durable(&spool, &event(number)).await.unwrap();
        acknowledged.push(number.to_string());
    }
    inject(&faults);
    // In one group with the durable one, since it has no waiter.
    spool.enqueue(&event(100)).unwrap();
    let error = durable(&spool, &event(3)).await.unwrap_err();
    assert!(!error.is_full() && !error.is_closed(), "{error}");
    until("it is unhealthy", || {
        spool.status().state == HealthState::Unhealthy
    });
    assert!(
        spool
            .status()
            .reason
            .is_some_and(|reason| reason.contains("retrying"))
    );
    // Events refused in the meantime must not appear in the file.
    for number in 4..1_000 {
        if durable(&spool, &event(number)).await.is_ok() {
            acknowledged.push(number.to_string());
            break;
        }
        until("some time has passed, or it works", || {
            spool.status().state == HealthState::Healthy || number < 999
        });
    }
    until("it is healthy", || {
        spool.status().state == HealthState::Healthy
    });
    durable(&spool, &event(1_000)).await.unwrap();
    acknowledged.push("1000".to_owned());
    until("the event without a waiter is written", || {
        spool.status().pending == acknowledged.len() as u64 + 1
    });
    acknowledged.push("100".to_owned());
    let numbers = |events: Vec<crate::Event>| events.iter().map(number_of).collect::<Vec<_>>();
    assert_eq!(numbers(pending(&spool).await), acknowledged);
    spool.close().await;
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(numbers(pending(&spool).await), acknowledged);
    assert!(spool.verify().await.unwrap().is_intact());
}

#[tokio::test]
async fn fault_15_failed_commit_is_reported_and_leaves_no_row() {
    survives_a_failure(|faults| faults.fail(0, 4)).await;
}

#[tokio::test]
async fn fault_15_commit_that_succeeds_with_an_error_is_retracted() {
    survives_a_failure(|faults| faults.fail_after_commit(0, 4)).await;
}

#[tokio::test]
async fn fault_15_permanently_failing_disk_does_not_block_close() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    let written = event(0);
    let row = durable(&spool, &written).await.unwrap();
    faults.fail(0, i64::MAX);
    for number in 1..3_000 {
        spool.enqueue(&event(number)).unwrap();
    }
    spool.acknowledge(row, written.id());
    assert!(durable(&spool, &event(3_000)).await.is_err());
    let waiters: Vec<_> = (0..2_000)
        .filter_map(|number| spool.append(&event(number), Guarantee::Durable).ok())
        .collect();
    spool.close().await;
    for waiter in waiters {
        assert!(waiter.await.is_err(), "every waiter receives a result");
    }
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().pending, 1);
}

#[tokio::test]
async fn fault_15_append_until_closed_waits_until_the_disk_works() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    faults.fail(0, 4);
    // More than fit into one group, so that some are queued while others fail.
    let append = |number| spool.append_until_closed(&event(number)).unwrap();
    let waiters: Vec<_> = (0..3_000).map(append).collect();
    assert!(durable(&spool, &event(3_000)).await.is_err());
    for waiter in waiters {
        waiter.await.unwrap();
    }
    until("all are written", || spool.status().pending == 3_000);
}

#[tokio::test]
async fn fault_15_close_returns_the_events_that_are_still_retried() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    faults.fail(0, i64::MAX);
    let append = |number| spool.append_until_closed(&event(number)).unwrap();
    let waiters: Vec<_> = (0..3_000).map(append).collect();
    assert_eq!(spool.close_and_drain().await.len(), 3_000);
    for waiter in waiters {
        assert!(waiter.await.is_err());
    }
}

#[tokio::test]
async fn fault_15_refusal_without_a_waiter_is_counted() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    let recorder = Recorder::builder(MemorySink::new()).spool(spool.clone());
    let recorder = recorder.build().unwrap();
    faults.fail(0, i64::MAX);
    for number in 0..20 {
        let mut waiting = Box::pin(recorder.record_durable(event(number)));
        let first_poll = std::future::poll_fn(|context| {
            std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
        });
        let is_pending = first_poll.await;
        // A later append is refused later, so the first one has been refused by now.
        assert!(durable(&spool, &event(100)).await.is_err());
        drop(waiting);
        let stats = recorder.stats();
        let refused = number as u64 + 1;
        assert_eq!(
            (stats.refused, stats.dropped),
            (refused, refused),
            "{is_pending}"
        );
        assert_eq!((stats.accepted, stats.spooled), (0, 0), "{is_pending}");
    }
    assert_eq!(recorder.health().state, HealthState::Unhealthy);
}
