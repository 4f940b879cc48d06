//! Fault 47: a call keeps its deadline, whatever blocks the dispatcher's thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
#[cfg(feature = "testing")]
use std::time::Duration;

use futures_util::future::join_all;

use super::{BlockingSink, Gatekeeper, HOUR, MOMENT, gate, record};
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::testing::{FaultSink, assert_balanced};

#[cfg(feature = "testing")]
const MINUTE: Duration = Duration::from_secs(60);

/// A recorder of two events, the first of which blocks the dispatcher's thread in the sink.
fn blocked() -> (Recorder, Gatekeeper) {
    let (sink, keeper) = BlockingSink::new();
    let recorder = Recorder::builder(sink).concurrency(1).build().unwrap();
    record(&recorder, 2);
    keeper.wait_until_reached();
    (recorder, keeper)
}

/// Releases the sink, and checks that the dispatcher accounts for both events.
fn recovers(recorder: &Recorder, keeper: Gatekeeper) {
    keeper.release();
    let report = recorder.shutdown_blocking(HOUR);
    assert_eq!(report.pending, 0);
    let stats = recorder.stats();
    assert_eq!(stats.delivered + stats.lost, 2);
    assert_balanced(recorder);
}

#[test]
fn fault_47_blocking_calls_return_while_the_sink_blocks() {
    let (recorder, keeper) = blocked();
    assert_eq!(recorder.flush_blocking(MOMENT).pending, 2);
    recovers(&recorder, keeper);

    let (recorder, keeper) = blocked();
    assert_eq!(recorder.shutdown_blocking(MOMENT).pending, 2);
    assert!(recorder.record(super::event()).unwrap_err().is_closed());
    recovers(&recorder, keeper);

    let (recorder, keeper) = blocked();
    drop(recorder.guard().deadline(MOMENT));
    recovers(&recorder, keeper);
}

#[tokio::test]
async fn fault_47_async_calls_return_while_the_sink_blocks() {
    let (recorder, keeper) = blocked();
    assert_eq!(recorder.flush(MOMENT).await.pending, 2);
    assert_eq!(recorder.shutdown(MOMENT).await.pending, 2);
    recovers(&recorder, keeper);
}

#[tokio::test]
async fn fault_47_more_calls_than_the_dispatcher_queues_return_while_the_sink_blocks() {
    let (recorder, keeper) = blocked();
    let flushes = (0..100).map(|_| recorder.flush(MOMENT));
    for report in join_all(flushes).await {
        assert_eq!(report.pending, 2);
    }
    assert_eq!(recorder.shutdown(MOMENT).await.pending, 2);
    recovers(&recorder, keeper);
}

#[test]
fn fault_47_calls_return_while_the_hook_blocks() {
    let (gate, keeper) = gate();
    let sink = FaultSink::new(MemorySink::new()).reject_times(1);
    let builder = Recorder::builder(sink).on_dead_letter(move |_| gate.pass());
    let recorder = builder.build().unwrap();
    record(&recorder, 1);
    keeper.wait_until_reached();
    record(&recorder, 1);
    assert_eq!(recorder.flush_blocking(MOMENT).pending, 1);
    assert_eq!(recorder.shutdown_blocking(MOMENT).pending, 1);
    keeper.release();
    assert_eq!(recorder.shutdown_blocking(HOUR).pending, 0);
    assert_balanced(&recorder);
}

#[test]
fn fault_47_a_shutdown_reports_before_the_hook_has_taken_the_lost_events() {
    let (gate, keeper) = gate();
    let sink = FaultSink::new(MemorySink::new()).hang();
    let builder = Recorder::builder(sink).on_dead_letter(move |_| gate.pass());
    let recorder = builder.build().unwrap();
    record(&recorder, 3);
    let report = recorder.shutdown_blocking(MOMENT);
    assert_eq!((report.lost, report.pending), (3, 0));
    keeper.wait_until_reached();
    keeper.release();
    assert_balanced(&recorder);
}

#[test]
fn fault_47_a_shutdown_waits_for_a_quick_hook() {
    let calls = Arc::new(AtomicU32::new(0));
    let called = Arc::clone(&calls);
    let sink = FaultSink::new(MemorySink::new()).hang();
    let builder = Recorder::builder(sink).on_dead_letter(move |letter| {
        assert!(letter.fault().is_lost());
        called.fetch_add(1, Ordering::Relaxed);
    });
    let recorder = builder.build().unwrap();
    record(&recorder, 3);
    // The last part of the deadline is the hook's.
    assert_eq!(recorder.shutdown_blocking(10 * MOMENT).lost, 3);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn fault_47_a_hook_that_flushes_or_shuts_down_returns_at_once() {
    let within = Arc::new(OnceLock::<Recorder>::new());
    let of_hook = Arc::clone(&within);
    let (reports, reported) = std::sync::mpsc::channel();
    let sink = FaultSink::new(MemorySink::new()).reject_times(1);
    let builder = Recorder::builder(sink).on_dead_letter(move |letter| {
        let recorder = of_hook.wait();
        if letter.fault().is_lost() {
            return;
        }
        // Each would wait for this hook to return.
        reports.send(recorder.flush_blocking(HOUR)).unwrap();
        let flush = pollster::block_on(recorder.flush(HOUR));
        reports.send(flush).unwrap();
        reports.send(recorder.shutdown_blocking(HOUR)).unwrap();
    });
    let recorder = builder.build().unwrap();
    record(&recorder, 2);
    within.set(recorder.clone()).unwrap();
    for _ in 0..3 {
        assert_eq!(reported.recv().unwrap().pending, 1);
    }
    // The shutdown has begun in the hook.
    let report = recorder.shutdown_blocking(HOUR);
    assert_eq!((report.pending, report.lost), (0, 0));
    assert_eq!(recorder.stats().delivered, 1);
    assert!(recorder.record(super::event()).unwrap_err().is_closed());
    assert_balanced(&recorder);
}

#[cfg(feature = "testing")]
#[tokio::test(start_paused = true)]
async fn a_deadline_of_a_dispatcher_under_a_paused_clock_is_virtual() {
    let sink = FaultSink::new(MemorySink::new()).hang();
    let recorder = Recorder::builder(sink).build_in_runtime().unwrap();
    record(&recorder, 1);
    let begun = tokio::time::Instant::now();
    assert_eq!(recorder.flush(MINUTE).await.pending, 1);
    assert_eq!(recorder.shutdown(MINUTE).await.lost, 1);
    assert!(begun.elapsed() <= 2 * MINUTE + MOMENT);
    assert_balanced(&recorder);
}
