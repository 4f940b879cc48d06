//! Row 15: commits that fail.

use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::faults::Faults;
use crate::spool::handle::Spool;
use crate::spool::store::Guarantee;
use crate::spool::tests::{Folder, durable, event, number_of, pending, until};
use crate::telemetry::HealthState;

async fn survives_a_failure(break_it: fn(&Faults)) {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    let mut told = Vec::new();
    for number in 0..3 {
        durable(&spool, &event(number)).await.unwrap();
        told.push(number.to_string());
    }
    break_it(&faults);
    // In one group with the durable one, since nobody waits for it.
    spool.enqueue(&event(100)).unwrap();
    let error = durable(&spool, &event(3)).await.unwrap_err();
    assert!(!error.is_full() && !error.is_closed(), "{error}");
    until("it is red", || {
        spool.status().state == HealthState::Unhealthy
    });
    assert!(
        spool
            .status()
            .reason
            .is_some_and(|reason| reason.contains("tried again"))
    );
    // In between it says no, and means it.
    for number in 4..1_000 {
        if durable(&spool, &event(number)).await.is_ok() {
            told.push(number.to_string());
            break;
        }
        until("a while has passed, or it works", || {
            spool.status().state == HealthState::Healthy || number < 999
        });
    }
    until("it is green", || {
        spool.status().state == HealthState::Healthy
    });
    durable(&spool, &event(1_000)).await.unwrap();
    told.push("1000".to_owned());
    until("the event for which nobody waited is there", || {
        spool.status().pending == told.len() as u64 + 1
    });
    told.push("100".to_owned());
    let numbers = |events: Vec<crate::Event>| events.iter().map(number_of).collect::<Vec<_>>();
    assert_eq!(numbers(pending(&spool).await), told);
    spool.close().await;
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(numbers(pending(&spool).await), told);
    assert!(spool.verify().await.unwrap().is_whole());
}

#[tokio::test]
async fn fault_15_a_failed_commit_is_told_and_leaves_nothing() {
    survives_a_failure(|faults| faults.fail(0, 4)).await;
}

#[tokio::test]
async fn fault_15_a_commit_that_is_done_and_says_it_failed_is_taken_back() {
    survives_a_failure(|faults| faults.fail_when_done(0, 4)).await;
}

#[tokio::test]
async fn fault_15_a_disk_that_never_works_again_does_not_keep_the_spool_open() {
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
        assert!(waiter.await.is_err(), "nobody waits for ever");
    }
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().pending, 1);
}

#[tokio::test]
async fn fault_15_who_waits_patiently_waits_until_the_disk_works() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    faults.fail(0, 4);
    // More than one group takes, so that some wait while others fail.
    let append = |number| spool.append_patiently(&event(number)).unwrap();
    let waiters: Vec<_> = (0..3_000).map(append).collect();
    assert!(durable(&spool, &event(3_000)).await.is_err());
    for waiter in waiters {
        waiter.await.unwrap();
    }
    until("all are there", || spool.status().pending == 3_000);
}

#[tokio::test]
async fn fault_15_a_spool_that_closes_gives_back_what_is_waited_for_patiently() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    faults.fail(0, i64::MAX);
    let append = |number| spool.append_patiently(&event(number)).unwrap();
    let waiters: Vec<_> = (0..3_000).map(append).collect();
    assert_eq!(spool.close_and_take().await.len(), 3_000);
    for waiter in waiters {
        assert!(waiter.await.is_err());
    }
}

#[tokio::test]
async fn fault_15_a_refusal_that_nobody_waited_for_is_counted() {
    let folder = Folder::new();
    let builder = Spool::builder(folder.file());
    let faults = builder.faults.clone();
    let spool = builder.open().unwrap();
    let recorder = Recorder::builder(MemorySink::new()).spool(spool.clone());
    let recorder = recorder.build().unwrap();
    faults.fail(0, i64::MAX);
    for number in 0..20 {
        let mut waiting = Box::pin(recorder.record_durable(event(number)));
        let asked = std::future::poll_fn(|context| {
            std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
        });
        let is_unheard = asked.await;
        // Whoever comes later is answered later, so by now the answer is there.
        assert!(durable(&spool, &event(100)).await.is_err());
        drop(waiting);
        let stats = recorder.stats();
        let told = number as u64 + 1;
        assert_eq!((stats.refused, stats.dropped), (told, told), "{is_unheard}");
        assert_eq!((stats.accepted, stats.spooled), (0, 0), "{is_unheard}");
    }
    assert_eq!(recorder.health().state, HealthState::Unhealthy);
}
