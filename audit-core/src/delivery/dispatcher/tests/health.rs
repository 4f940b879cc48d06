//! Health while events are not delivered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use super::{MINUTE, record, start};
use crate::recorder::Recorder;
use crate::sink::Fault;
use crate::telemetry::{Health, HealthState};
use crate::testing::{FaultSink, assert_balanced};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn reasons(health: &Health) -> String {
    let reasons = health.problems.iter().map(|problem| problem.reason.clone());
    reasons.collect::<Vec<_>>().join("; ")
}

#[tokio::test(start_paused = true)]
async fn fault_45_one_event_that_waits_for_a_sink_that_is_down_degrades_health() {
    for events in [1, 2, 3, 100] {
        let sink = FaultSink::discarding().fail_for(6 * HOUR);
        let recorder = start(Recorder::builder(sink));
        record(&recorder, events);
        tokio::time::sleep(MINUTE + 2 * SECOND).await;
        assert_eq!(recorder.health().state, HealthState::Degraded, "{events}");
        tokio::time::sleep(HOUR).await;
        let health = recorder.health();
        assert_eq!(health.state, HealthState::Unhealthy, "{events}");
        assert!(reasons(&health).contains("s old"), "{health:?}");
        tokio::time::sleep(5 * HOUR - MINUTE).await;
        // The outage is over soon after it ended.
        assert!(recorder.flush(MINUTE).await.is_complete(), "{events}");
        assert_eq!(recorder.health().problems, [], "{events}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_45_attempts_that_never_end_are_ended_and_degrade_health() {
    let sink = FaultSink::discarding().hang();
    let recorder = start(Recorder::builder(sink.clone()).attempt_timeout(30 * SECOND));
    record(&recorder, 100);
    tokio::time::sleep(5 * MINUTE).await;
    let health = recorder.health();
    assert_eq!(health.state, HealthState::Degraded);
    assert!(
        reasons(&health).contains("did not answer within 30s"),
        "{health:?}"
    );
    sink.recover();
    assert!(recorder.flush(5 * MINUTE).await.is_complete());
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_45_rejected_events_degrade_health_and_dropped_dead_letters_more() {
    let sink = FaultSink::discarding().respond_with(|_, _| Err(Fault::rejected("no schema")));
    let recorder = start(Recorder::builder(sink));
    record(&recorder, 1_000);
    recorder.flush(MINUTE).await;
    let health = recorder.health();
    assert_eq!(health.state, HealthState::Degraded);
    assert!(reasons(&health).contains("rejected events"), "{health:?}");
    record(&recorder, 1);
    recorder.flush(MINUTE).await;
    assert_eq!(recorder.health().state, HealthState::Unhealthy);
    assert_eq!(recorder.stats().dead_dropped, 1);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(recorder.health().problems, []);
}

#[tokio::test(start_paused = true)]
async fn fault_45_a_pause_is_no_health_although_attempts_from_before_it_pass() {
    let wait = Duration::from_secs(300);
    let sink = FaultSink::discarding()
        .latency(SECOND / 5)
        .respond_with(move |_, attempt| match attempt.number() {
            1 => Err(Fault::rate_limited("429").after(Some(wait))),
            _ => Ok(()),
        });
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 1_000);
    tokio::time::sleep(2 * SECOND).await;
    let during = sink.attempts().len();
    assert_eq!(recorder.health().state, HealthState::Degraded);
    tokio::time::sleep(wait - 3 * SECOND).await;
    assert_eq!(recorder.health().state, HealthState::Degraded);
    assert_eq!(
        sink.attempts().len(),
        during,
        "nothing is sent in the pause"
    );
    assert!(recorder.flush(5 * MINUTE).await.is_complete());
    assert_eq!(recorder.health().state, HealthState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn fault_45_a_sink_that_blocks_its_thread_makes_health_unhealthy() {
    use std::sync::{Arc, Mutex, OnceLock};

    /// A sink that blocks its thread for a time of the virtual clock, and asks for health then.
    struct Blocking {
        recorder: Arc<OnceLock<Recorder>>,
        health: Arc<Mutex<Vec<Health>>>,
    }
    impl crate::sink::Sink for Blocking {
        async fn deliver(&self, _: &crate::event::Event) -> crate::sink::Delivery {
            let recorder = self.recorder.get().unwrap();
            for _ in 0..2 {
                let mut advance = Box::pin(tokio::time::advance(6 * SECOND));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                // The clock has moved after the first poll; the thread was not left.
                let _ = advance.as_mut().poll(&mut context);
                self.health.lock().unwrap().push(recorder.health());
            }
            Ok(())
        }
    }
    let cell = Arc::new(OnceLock::new());
    let health = Arc::new(Mutex::new(Vec::new()));
    let recorder = start(Recorder::builder(Blocking {
        recorder: Arc::clone(&cell),
        health: Arc::clone(&health),
    }));
    cell.set(recorder.clone()).unwrap();
    record(&recorder, 1);
    assert!(recorder.flush(MINUTE).await.is_complete());
    let states: Vec<_> = health
        .lock()
        .unwrap()
        .iter()
        .map(|health| health.state)
        .collect();
    assert_eq!(states, [HealthState::Healthy, HealthState::Unhealthy]);
    assert!(reasons(&health.lock().unwrap()[1]).contains("blocked for 12 s"));
    assert_eq!(recorder.health().state, HealthState::Healthy);
}

#[cfg(feature = "spool")]
#[tokio::test(start_paused = true)]
async fn fault_45_events_that_wait_on_the_disk_have_an_age() {
    use crate::delivery::disk::Guarantee;
    use crate::spool::Spool;

    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
    let yesterday = crate::event::now_millis() - 24 * 3_600_000;
    let mut old = crate::event::Event::begin("document.delete", yesterday);
    old.set_organization(|out| out.push_str("org_1"));
    for event in [old, super::event()] {
        spool
            .append(&event, Guarantee::BestEffort)
            .unwrap()
            .await
            .unwrap();
    }
    spool.close().await;
    let spool = Spool::open(folder.path().join("audit.spool")).unwrap();
    let recorder = start(Recorder::builder(FaultSink::discarding().hang()).spool(spool));
    while recorder.health().oldest_pending.is_none() {
        tokio::time::sleep(SECOND).await;
    }
    let health = recorder.health();
    assert!(health.oldest_pending.unwrap() >= 24 * HOUR, "{health:?}");
    assert_eq!(health.state, HealthState::Unhealthy);
}
