//! Durable events while the disk stands still or refuses, and the dispatcher is blocked.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};

use tempfile::TempDir;

use super::{BlockingSink, HOUR, MOMENT, event, record};
use crate::delivery::DurableWait;
use crate::event::{Actor, Outcome};
use crate::private::{Draft, close_durable, make_durable, open, try_open, write};
use crate::recorder::{Recorder, RecorderBuilder};
use crate::sink::{MemorySink, Sink};
use crate::spool::Spool;
use crate::spool::tests::stalled::{freeze, open_with_disk};
use crate::testing::{FaultSink, assert_balanced};

const DELETE: &str = "document.delete";

fn builder(sink: impl Sink) -> (RecorderBuilder, Spool, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
    (Recorder::builder(sink).spool(spool.clone()), spool, folder)
}

/// Polls a future once, which is expected to wait.
fn begin<F: Future>(future: std::pin::Pin<&mut F>) {
    let poll = future.poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
}

/// Opens the draft of a durable event in a scope that was settled before, so that nothing else
/// waits for it.
fn durable_draft(recorder: &Recorder) -> Draft {
    let scope = recorder.scope().actor(Actor::system());
    drop(scope.settle(None));
    let mut draft = scope.enter(|| open(DELETE));
    make_durable(&mut draft);
    draft
}

/// Returns the wait for a durable event.
fn durable_wait(recorder: &Recorder) -> DurableWait {
    close_durable(durable_draft(recorder), Outcome::Succeeded)
}

/// Waits until a durable event was counted as past its deadline.
async fn counted_past_its_deadline(recorder: &Recorder) {
    while recorder.stats().deadline_exceeded == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn fault_47_a_shutdown_returns_while_the_disk_stands_still() {
    let sink = FaultSink::new(MemorySink::new()).hang();
    let (builder, spool, folder) = builder(sink);
    // More events than the spool queues for the disk.
    let recorder = builder.capacity(10_000).build().unwrap();
    record(&recorder, 9_000);
    let disk = freeze(&spool);
    assert_eq!(recorder.flush(MOMENT).await.pending, 9_000);
    let report = recorder.shutdown(MOMENT).await;
    assert!(report.pending + report.lost >= 9_000);
    // The disk may still write what it has taken over; the others are nowhere.
    let report = recorder.shutdown(HOUR).await;
    assert_eq!((report.pending, report.lost), (8_192, 808));
    assert_eq!((report.spooled, report.delivered), (0, 0));
    drop(disk);
    drop((recorder, spool));
    let path = folder.path().join("audit.spool");
    let spool = loop {
        match Spool::open(&path) {
            Err(error) if error.is_locked() => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(spool.status().recovered, 8_192);
}

#[tokio::test]
async fn fault_47_a_durable_event_keeps_its_deadline_while_sink_and_disk_block() {
    let (sink, keeper) = BlockingSink::new();
    let (builder, spool, _folder) = builder(sink);
    let recorder = builder.durable_deadline(MOMENT).build().unwrap();
    record(&recorder, 1);
    keeper.wait_until_reached();
    let disk = freeze(&spool);
    durable_wait(&recorder).await;
    assert_eq!(recorder.stats().deadline_exceeded, 1);
    drop(disk);
    keeper.release();
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_balanced(&recorder);
}

#[tokio::test]
async fn fault_53_a_durable_event_parks_no_thread_of_a_runtime() {
    let (builder, spool, _folder) = builder(MemorySink::new());
    let recorder = builder.durable_deadline(HOUR).build().unwrap();
    let disk = freeze(&spool);
    // It would block for an hour.
    durable_wait(&recorder).wait();
    drop(disk);
    assert!(recorder.flush(HOUR).await.is_complete());
    assert_eq!(recorder.stats().deadline_exceeded, 0);
    assert_balanced(&recorder);
}

#[tokio::test]
async fn fault_53_a_durable_event_without_a_waiter_is_counted_at_its_deadline() {
    let (builder, spool, _folder) = builder(MemorySink::new());
    let recorder = builder.durable_deadline(MOMENT).build().unwrap();
    let disk = freeze(&spool);
    durable_wait(&recorder).wait();
    counted_past_its_deadline(&recorder).await;
    drop(disk);
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_eq!(recorder.stats().deadline_exceeded, 1);
    assert_balanced(&recorder);
}

#[test]
fn fault_53_a_durable_event_outside_a_runtime_is_on_disk_when_the_call_returns() {
    let (builder, spool, _folder) = builder(FaultSink::discarding().hang());
    let recorder = builder.durable_deadline(HOUR).build().unwrap();
    let disk = freeze(&spool);
    let (returned, has_returned) = channel();
    let wait = durable_wait(&recorder);
    std::thread::spawn(move || {
        wait.wait();
        returned.send(()).unwrap();
    });
    assert!(has_returned.try_recv().is_err());
    drop(disk);
    has_returned.recv().unwrap();
    assert_eq!(recorder.stats().deadline_exceeded, 0);
    // The caller continues a moment before the writer counts its transaction as done.
    while spool.unwritten() > 0 {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn fault_53_a_written_event_is_awaited_and_given_to_the_disk_by_the_call() {
    let (builder, spool, _folder) = builder(MemorySink::new());
    let recorder = builder.build().unwrap();
    let scope = recorder.scope().actor(Actor::user("u1"));
    let disk = freeze(&spool);
    let call = || write(try_open(DELETE).map(|draft| (draft, Outcome::Succeeded)));
    let (first, second) = scope.enter(|| (call(), call()));
    assert_eq!(spool.unwritten(), 2);
    let mut first = pin!(first);
    begin(first.as_mut());
    drop(second);
    drop(disk);
    first.await.unwrap();
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_eq!(recorder.stats().delivered, 2);
    assert_balanced(&recorder);

    let refused = scope.enter(call).await.unwrap_err();
    assert!(refused.is_not_durable() && !refused.is_without_recorder());
    assert_eq!(refused.into_event().unwrap().actor().unwrap().id(), "u1");
    let nowhere = call().await.unwrap_err();
    assert!(nowhere.is_without_recorder());
}

#[tokio::test]
async fn fault_56_waits_leave_nothing_behind_while_the_dispatcher_is_blocked() {
    let (sink, keeper) = BlockingSink::new();
    let (builder, spool, _folder) = builder(sink);
    let recorder = builder.durable_deadline(HOUR).build().unwrap();
    record(&recorder, 1);
    keeper.wait_until_reached();
    let disk = freeze(&spool);
    for _ in 0..1_000 {
        let mut wait = pin!(durable_wait(&recorder));
        begin(wait.as_mut());
        assert_eq!(recorder.handle.pipeline.timer.waiting(), 1);
    }
    assert_eq!(recorder.handle.pipeline.timer.waiting(), 0);
    drop(disk);
    keeper.release();
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_balanced(&recorder);
}

#[tokio::test]
async fn fault_57_a_flush_ends_when_the_event_it_waits_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, disk) = open_with_disk(&folder.path().join("audit.spool"));
    let builder = Recorder::builder(MemorySink::new()).spool(spool.clone());
    let recorder = builder.build().unwrap();
    let frozen = freeze(&spool);
    let mut durable = pin!(recorder.record_durable(event()));
    begin(durable.as_mut());
    let mut flush = pin!(recorder.flush(HOUR));
    begin(flush.as_mut());
    // The dispatcher has received the first flush when it answers the second.
    assert_eq!(recorder.flush(MOMENT / 50).await.pending, 1);
    disk.refuse();
    drop(frozen);
    assert!(durable.await.unwrap_err().is_not_durable());
    assert!(flush.await.is_complete());
    // As does a shutdown that begins afterwards.
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_balanced(&recorder);
}

#[tokio::test]
async fn fault_57_a_refused_event_ends_no_flush_that_began_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, disk) = open_with_disk(&folder.path().join("audit.spool"));
    let sink = FaultSink::new(MemorySink::new()).hang();
    let builder = Recorder::builder(sink.clone()).spool(spool.clone());
    let recorder = builder.build().unwrap();
    record(&recorder, 1);
    let mut before = pin!(recorder.flush(HOUR));
    begin(before.as_mut());
    assert_eq!(recorder.flush(MOMENT / 50).await.pending, 1);

    let frozen = freeze(&spool);
    let mut durable = pin!(recorder.record_durable(event()));
    begin(durable.as_mut());
    let mut after = pin!(recorder.flush(HOUR));
    begin(after.as_mut());
    assert_eq!(recorder.flush(MOMENT / 50).await.pending, 2);
    disk.refuse();
    drop(frozen);
    assert!(durable.await.unwrap_err().is_not_durable());
    assert_eq!(recorder.flush(MOMENT / 50).await.pending, 1);
    begin(before.as_mut());
    begin(after.as_mut());
    sink.recover();
    assert_eq!(before.await.delivered, 1);
    assert_eq!(after.await.delivered, 1);
    assert!(recorder.shutdown(HOUR).await.is_complete());
    assert_balanced(&recorder);
}
