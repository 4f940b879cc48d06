//! Partial failures: some events fail, the others would pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::start;
use crate::event::{Event, EventId};
use crate::recorder::Recorder;
use crate::sink::{Delivery, Fault, Sink};
use crate::testing::{FaultSink, assert_balanced};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// The time of one attempt.
const LATENCY: Duration = Duration::from_millis(50);

fn event(action: &'static str, organization: usize) -> Event {
    Event::builder(action)
        .organization(format!("org_{organization}"))
        .build()
        .unwrap()
}

/// A sink that fails some events always, and notes when it accepted the others.
#[derive(Clone)]
struct PartialSink {
    fault: Fault,
    fails: fn(&Event) -> bool,
    delivered: Arc<Mutex<HashMap<EventId, Instant>>>,
}

impl PartialSink {
    fn new(fault: Fault, fails: fn(&Event) -> bool) -> Self {
        Self {
            fault,
            fails,
            delivered: Arc::default(),
        }
    }

    fn delivered_at(&self, id: EventId) -> Option<Instant> {
        self.delivered.lock().unwrap().get(&id).copied()
    }
}

impl Sink for PartialSink {
    async fn deliver(&self, event: &Event) -> Delivery {
        tokio::time::sleep(LATENCY).await;
        if (self.fails)(event) {
            return Err(self.fault.clone());
        }
        let mut delivered = self.delivered.lock().unwrap();
        delivered.insert(event.id(), Instant::now());
        Ok(())
    }
}

fn faults() -> [Fault; 8] {
    [
        Fault::fatal("401 Unauthorized"),
        Fault::fatal("403 Forbidden"),
        Fault::fatal("409 Conflict"),
        Fault::fatal("302 Found"),
        Fault::retryable("500 Internal Server Error"),
        Fault::rate_limited("429 Too Many Requests"),
        Fault::rate_limited("429 Too Many Requests").after(Some(SECOND)),
        Fault::connection_lost("reset"),
    ]
}

fn is_bad(event: &Event) -> bool {
    event.action() == "document.delete"
}

#[tokio::test(start_paused = true)]
async fn fault_41_one_event_that_always_fails_stops_no_other() {
    for fault in faults() {
        let sink = PartialSink::new(fault.clone(), is_bad);
        let recorder = start(Recorder::builder(sink.clone()).capacity(1_000));
        let bad = event("document.delete", 0);
        recorder.record(bad).unwrap();
        let mut good = Vec::new();
        for number in 0..1_200 {
            let event = event("document.read", number % 20);
            good.push((event.id(), Instant::now()));
            recorder.record(event).unwrap();
            tokio::time::sleep(LATENCY).await;
        }
        tokio::time::sleep(SECOND).await;
        let waits: Vec<_> = good
            .iter()
            .map(|(id, recorded)| sink.delivered_at(*id).unwrap() - *recorded)
            .collect();
        let late = waits.iter().filter(|wait| **wait > 2 * LATENCY).count();
        // A rate limit is respected for all until it is known to be the event's own.
        let most = if fault.retry_after().is_some() {
            100
        } else {
            60
        };
        assert!(
            late <= most,
            "{fault:?}: {late} late, {:?}",
            waits.iter().max()
        );
        // Nothing else was recorded in the meantime, so nothing passes that would prove more.
        tokio::time::sleep(HOUR).await;
        assert_eq!((recorder.stats().pending, recorder.stats().dead), (1, 0));
        assert_balanced(&recorder);
    }
}

#[tokio::test(start_paused = true)]
async fn fault_41_an_event_that_fails_alone_becomes_a_dead_letter_with_the_reason() {
    for (fault, reason) in [
        (
            Fault::fatal("403 Forbidden"),
            "rejected alone: 403 Forbidden",
        ),
        (Fault::retryable("500"), "given up after "),
        (Fault::rate_limited("429"), "given up after "),
    ] {
        let sink = PartialSink::new(fault, is_bad);
        let recorder = start(Recorder::builder(sink.clone()));
        let bad = event("document.delete", 0);
        let bad_id = bad.id();
        recorder.record(bad).unwrap();
        for _ in 0..4 * 120 {
            recorder.record(event("document.read", 1)).unwrap();
            tokio::time::sleep(30 * SECOND).await;
        }
        let letters = recorder.dead_letters();
        assert_eq!(letters.len(), 1, "{reason}");
        assert_eq!(letters[0].id(), bad_id);
        let fault = letters[0].fault().to_string();
        assert!(fault.starts_with(reason), "{fault}");
        assert_balanced(&recorder);
    }
}

#[tokio::test(start_paused = true)]
async fn fault_43_a_thousand_failing_events_delay_and_displace_no_other() {
    // The first ones are of one kind.
    for fault in faults().into_iter().skip(3) {
        for (bad, pause, fails) in [
            (1_000, LATENCY, is_bad as fn(&Event) -> bool),
            (100, SECOND, is_bad),
            (1_000, SECOND, |event: &Event| {
                event.organization() == Some("org_0")
            }),
            // Neither action nor organization has anything to do with it.
            (1_000, SECOND, |event: &Event| {
                event.metadata_value("bad").is_some()
            }),
        ] {
            let sink = PartialSink::new(fault.clone(), fails);
            let recorder = start(Recorder::builder(sink.clone()));
            for _ in 0..bad {
                let mut event = event("document.delete", 0);
                event.push_metadata("bad", &true);
                recorder.record(event).unwrap();
            }
            let mut good = Vec::new();
            for number in 0..200 {
                let event = event("document.read", 1 + number % 10);
                good.push((event.id(), Instant::now()));
                recorder.record(event).unwrap();
                tokio::time::sleep(pause).await;
            }
            tokio::time::sleep(10 * SECOND).await;
            let waits: Vec<_> = good
                .iter()
                .map(|(id, recorded)| sink.delivered_at(*id).unwrap() - *recorded)
                .collect();
            let late = waits.iter().filter(|wait| **wait > 2 * LATENCY).count();
            let longest = waits.iter().max().unwrap();
            // Some of the first ones wait for the pauses in which the cause is found.
            let most = if pause == LATENCY { 160 } else { 12 };
            assert!(
                late <= most && *longest <= 6 * SECOND,
                "{fault:?} {bad} {pause:?}: {late} {longest:?}"
            );
            assert_eq!(recorder.stats().refused, 0);
            assert_balanced(&recorder);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fault_43_events_that_fail_steadily_make_room_in_the_queue() {
    let sink = PartialSink::new(Fault::retryable("500"), is_bad);
    let recorder = start(Recorder::builder(sink.clone()).capacity(400));
    for number in 0..600 * 5 {
        let action = if number % 2 == 0 {
            "document.delete"
        } else {
            "document.read"
        };
        recorder.record(event(action, number % 10)).unwrap();
        tokio::time::sleep(SECOND / 5).await;
    }
    let stats = recorder.stats();
    assert_eq!(stats.refused, 0);
    assert!(stats.delivered >= 1_490, "{stats:?}");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_all_events_is_the_configuration_and_destroys_nothing() {
    for fault in faults() {
        let sink = FaultSink::discarding().respond_with({
            let fault = fault.clone();
            move |_, _| Err(fault.clone())
        });
        let recorder = start(Recorder::builder(sink.clone()));
        for number in 0..400 {
            recorder
                .record(event("document.read", number % 10))
                .unwrap();
        }
        tokio::time::sleep(HOUR).await;
        let stats = recorder.stats();
        assert_eq!((stats.dead, stats.pending), (0, 400), "{fault:?}");
        let attempts = sink.attempts().len();
        assert!(attempts <= 3_600, "{fault:?}: {attempts}");
        sink.recover();
        assert!(
            recorder.flush(400 * SECOND).await.is_complete(),
            "{fault:?}"
        );
        assert_balanced(&recorder);
    }
}

#[cfg(feature = "spool")]
#[tokio::test(start_paused = true)]
async fn fault_42_a_thousand_failing_events_of_the_spool_stop_no_other() {
    use crate::delivery::disk::Guarantee;
    use crate::spool::Spool;

    for fault in [Fault::retryable("500"), Fault::fatal("403")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.spool");
        let spool = Spool::open(&path).unwrap();
        let append = async |spool: &Spool, count: usize, is_good: bool| {
            let mut ids = Vec::new();
            let mut appends = Vec::new();
            for guarantee in [Guarantee::Durable, Guarantee::BestEffort] {
                for number in 0..count {
                    let action = if is_good {
                        "document.read"
                    } else {
                        "document.delete"
                    };
                    let event = event(action, number % 10);
                    ids.push(event.id());
                    appends.push(spool.append(&event, guarantee).unwrap());
                }
            }
            for append in appends {
                append.await.unwrap();
            }
            ids
        };
        // Each stream begins with events that fail: those of an earlier process and of this one.
        append(&spool, 1_000, false).await;
        let mut good = append(&spool, 50, true).await;
        spool.close().await;
        let spool = Spool::open(&path).unwrap();
        let sink = PartialSink::new(fault.clone(), is_bad);
        let (recorder, mut dispatcher) = Recorder::builder(sink.clone()).spool(spool).assemble();
        let spool = recorder.spool().unwrap().clone();
        append(&spool, 1_000, false).await;
        good.extend(append(&spool, 50, true).await);
        let counters = &dispatcher.pipeline.counters;
        counters.appended_durable.add(1_050);
        counters.appended_best_effort.add(1_050);
        tokio::spawn(async move { dispatcher.run().await });
        let begun = Instant::now();
        while good.iter().any(|id| sink.delivered_at(*id).is_none()) {
            tokio::time::sleep(SECOND).await;
            assert!(
                begun.elapsed() < 6 * HOUR,
                "{fault:?}: {:?}",
                recorder.stats()
            );
        }
        let stats = recorder.stats();
        assert_eq!((stats.delivered, stats.lost), (200, 0), "{fault:?}");
        assert_eq!(stats.spooled + stats.dead, 4_000, "{fault:?}");
        // A new one passes all that fail.
        let event = event("document.read", 3);
        let id = event.id();
        recorder.record_durable(event).await.unwrap();
        while sink.delivered_at(id).is_none() {
            tokio::time::sleep(SECOND).await;
            assert!(
                begun.elapsed() < 12 * HOUR,
                "{fault:?}: {:?}",
                recorder.stats()
            );
        }
    }
}
