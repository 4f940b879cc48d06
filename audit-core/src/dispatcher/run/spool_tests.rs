//! The dispatcher and what comes from the spool.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use crate::disk::Guarantee;
use crate::event::now_millis;
use crate::{Event, MemorySink, Recorder, Spool};

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
async fn fault_32_a_doubt_of_an_earlier_process_is_as_old_as_it_was() {
    for (hours, is_marked) in [(1, false), (25, true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        let spool = Spool::open(&path).unwrap();
        let event = event();
        let row = spool.append(&event, Guarantee::Durable).unwrap().await;
        spool.attempted(row.unwrap(), now_millis() - hours * HOUR);
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

#[tokio::test]
async fn what_cannot_be_read_any_more_is_counted_as_lost_and_holds_nobody_up() {
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

    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).unwrap());
    let recorder = builder.build().unwrap();
    drained(&recorder).await;
    let stats = recorder.stats();
    assert_eq!((stats.recovered, stats.delivered, stats.lost), (3, 2, 1));
    assert!(recorder.shutdown(PATIENCE).await.is_complete());
}
