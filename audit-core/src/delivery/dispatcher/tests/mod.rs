//! Tests of the dispatcher under a virtual clock, against a scripted sink.

mod coalescing;
mod health;
mod partial;
#[cfg(feature = "spool")]
mod spool;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::delivery::flush_barrier::Report;
use crate::event::{Event, EventId};
use crate::recorder::{Recorder, RecorderBuilder};
use crate::sink::{Delivery, Fault, Sink};
use crate::testing::{Attempt, FaultSink, assert_balanced};

/// A recorder whose dispatcher runs in the test's own runtime, and so under its clock.
pub(super) fn start(builder: RecorderBuilder) -> Recorder {
    let (recorder, mut dispatcher) = builder.assemble();
    tokio::spawn(async move { dispatcher.run().await });
    recorder
}

fn event() -> Event {
    Event::builder("document.delete")
        .organization("org_1")
        .build()
        .unwrap()
}

fn record(recorder: &Recorder, count: usize) -> Vec<EventId> {
    (0..count)
        .map(|_| {
            let event = event();
            let id = event.id();
            recorder.record(event).unwrap();
            id
        })
        .collect()
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_events_accepted_before_it() {
    let sink = FaultSink::discarding();
    let recorder = start(Recorder::builder(sink.clone()));
    let ids = record(&recorder, 100);
    assert_eq!(
        recorder.flush(MINUTE).await,
        Report {
            delivered: 100,
            ..Report::default()
        }
    );
    let attempts = sink.attempts();
    let sent: Vec<_> = attempts.iter().map(Attempt::event_id).collect();
    assert_eq!(sent, ids, "first in, first out");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_retryable_fault_is_retried_with_the_same_id_until_accepted() {
    let sink = FaultSink::discarding().fail_times(3);
    let recorder = start(Recorder::builder(sink.clone()));
    let ids = record(&recorder, 1);
    assert!(recorder.flush(MINUTE).await.is_complete());
    let attempts = sink.attempts();
    let sent: Vec<_> = attempts.iter().map(Attempt::event_id).collect();
    assert_eq!(sent, [ids[0]; 4]);
    assert_eq!(recorder.stats().retried, 3);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_pauses_everything_and_one_event_probes() {
    let wait = Duration::from_secs(30);
    let limit = Fault::rate_limited("slow down").after(Some(wait));
    let sink = FaultSink::discarding().fault_times(1, limit);
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 1);
    assert_eq!(recorder.flush(Duration::from_secs(1)).await.pending, 1);
    record(&recorder, 5);
    assert!(recorder.flush(5 * MINUTE).await.is_complete());
    let attempts = sink.attempts();
    assert_eq!(attempts.len(), 7);
    assert!(
        attempts[1].at() - attempts[0].at() >= wait,
        "nothing is sent inside the window"
    );
    assert_ne!(
        attempts[1].event_id(),
        attempts[0].event_id(),
        "another event than the one that met the limit"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rejected_event_is_a_dead_letter_and_delays_no_other() {
    let sink = FaultSink::discarding()
        .accept_times(1)
        .fault_times(1, Fault::rejected("no such action"));
    let recorder = start(Recorder::builder(sink.clone()));
    let ids = record(&recorder, 3);
    let begun = Instant::now();
    let report = recorder.flush(MINUTE).await;
    assert_eq!((report.delivered, report.dead), (2, 1));
    assert!(
        begun.elapsed() <= Duration::from_millis(5),
        "no wait but the queue's tick"
    );
    let letters = recorder.dead_letters();
    assert_eq!(
        (letters[0].id(), letters[0].fault().to_string()),
        (ids[1], "no such action".to_owned())
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_fatal_fault_destroys_nothing() {
    let sink = FaultSink::discarding().fault_times(3, Fault::fatal("401"));
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 3);
    assert_eq!(
        recorder.flush(MINUTE).await,
        Report {
            delivered: 3,
            ..Report::default()
        }
    );
    assert_eq!(recorder.stats().dead, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_sink_makes_a_dead_letter_and_delivery_continues() {
    let sink = FaultSink::discarding().panic_times(1);
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 2);
    let report = recorder.flush(MINUTE).await;
    assert_eq!((report.delivered, report.dead), (1, 1));
    assert_eq!(
        recorder.dead_letters()[0].fault().to_string(),
        "the sink panicked on this event"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_responds_fills_the_queue_and_blocks_no_caller() {
    let sink = FaultSink::discarding().hang();
    let recorder = start(Recorder::builder(sink).capacity(20));
    let results: Vec<_> = (0..200).map(|_| recorder.record(event())).collect();
    let refused = results
        .iter()
        .filter(|result| result.as_ref().is_err_and(|e| e.is_full()))
        .count();
    assert_eq!(refused, 180);
    let stats = recorder.stats();
    assert_eq!(
        (stats.accepted, stats.refused, stats.pending),
        (20, 180, 20)
    );

    let begun = Instant::now();
    let report = recorder.shutdown(Duration::from_secs(5)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert_eq!(
        report,
        Report {
            lost: 20,
            ..Report::default()
        }
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_delivers_pending_events_and_a_second_returns_the_same_report() {
    let recorder = start(Recorder::builder(FaultSink::discarding()));
    record(&recorder, 1_000);
    let report = recorder.shutdown(MINUTE).await;
    assert_eq!(
        report,
        Report {
            delivered: 1_000,
            ..Report::default()
        }
    );
    assert_eq!(recorder.shutdown(MINUTE).await, report);
    assert_eq!(recorder.flush(MINUTE).await, report);
    let refused = recorder.record(event()).unwrap_err();
    assert!(refused.is_closed());
    assert_eq!(refused.into_event().action(), "document.delete");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_shuts_down() {
    let sink = FaultSink::discarding();
    let (recorder, mut dispatcher) = Recorder::builder(sink.clone()).assemble();
    let task = tokio::spawn(async move { dispatcher.run().await });
    record(&recorder, 3);
    drop(recorder);
    task.await.unwrap();
    assert_eq!(sink.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_dispatcher_is_woken_by_the_next_event() {
    let sink = FaultSink::discarding();
    let recorder = start(Recorder::builder(sink.clone()));
    tokio::time::sleep(10 * MINUTE).await;
    record(&recorder, 1);
    assert!(recorder.flush(MINUTE).await.is_complete());
}

#[test]
fn a_recorder_works_without_a_runtime() {
    let sink = crate::MemorySink::new();
    let recorder = Recorder::builder(sink.clone()).build().unwrap();
    record(&recorder, 10);
    assert!(recorder.shutdown_blocking(MINUTE).is_complete());
    assert_eq!(recorder.stats().delivered, 10);
    assert_eq!(sink.events().len(), 10);
}

#[test]
fn a_recorder_outlives_the_runtime_it_was_built_in() {
    let sink = crate::MemorySink::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let recorder = runtime.block_on(async { Recorder::builder(sink.clone()).build().unwrap() });
    drop(runtime);
    record(&recorder, 10);
    assert!(recorder.shutdown_blocking(MINUTE).is_complete());
    assert_eq!(recorder.stats().delivered, 10);
}

#[test]
fn a_guard_delivers_on_drop_also_inside_a_runtime() {
    let sink = crate::MemorySink::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let _guard = recorder.guard();
        record(&recorder, 10);
    });
    assert_eq!(sink.events().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_probed_with_one_event_and_then_everything_is_delivered() {
    let storm = Duration::from_secs(30 * 60);
    let sink = FaultSink::discarding().fail_for(storm);
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 2_000);
    assert_eq!(recorder.flush(storm - MINUTE).await.pending, 2_000);
    let during = sink.attempts().len();
    assert!(during <= 500, "{during} attempts in half an hour");
    assert_eq!(recorder.health().state, crate::HealthState::Degraded);

    assert!(recorder.flush(2 * MINUTE).await.is_complete());
    let attempts = sink.attempts().len();
    assert!(attempts <= 2_400, "{attempts} attempts for 2,000 events");
    assert_eq!(recorder.health().state, crate::HealthState::Healthy);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_of_the_sink_is_respected() {
    let sink = FaultSink::discarding().with_rate_limit(crate::RateLimit::per_second(10.0));
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 150);
    let begun = Instant::now();
    assert!(recorder.flush(MINUTE).await.is_complete());
    let seconds = begun.elapsed().as_secs_f64();
    assert!(
        (9.9..10.2).contains(&seconds),
        "{seconds}: 50 at once, 100 at ten a second"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_day_of_ambiguity_an_event_is_marked_maybe_duplicate() {
    let day = Duration::from_secs(24 * 3_600);
    let limited = Fault::rate_limited("slow").after(Some(Duration::from_secs(300)));
    for (first, marked) in [
        (Fault::retryable("timeout"), true),
        (Fault::retryable("no connection").not_sent(), false),
    ] {
        let sink = FaultSink::new(crate::MemorySink::new())
            .fault_times(1, first)
            .fault_times(400, limited.clone());
        let recorder = start(Recorder::builder(sink.clone()));
        record(&recorder, 1);
        assert!(recorder.flush(3 * day).await.is_complete());
        let event = &sink.inner().events()[0];
        assert_eq!(event.metadata_value("maybe_duplicate").is_some(), marked);
        assert_balanced(&recorder);
    }
}

#[test]
fn a_dispatcher_that_panics_is_started_again_with_all_its_events() {
    let sink = FaultSink::discarding();
    let (recorder, dispatcher) = Recorder::builder(sink.clone()).assemble();
    dispatcher
        .sabotage
        .store(3, std::sync::atomic::Ordering::SeqCst);
    let sabotage = Arc::clone(&dispatcher.sabotage);
    record(&recorder, 50);
    let thread = super::super::start(dispatcher).unwrap();
    assert!(recorder.flush_blocking(MINUTE).is_complete());
    assert_eq!(recorder.stats().delivered, 50);
    assert_eq!(sabotage.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(recorder.health().state, crate::HealthState::Healthy);
    assert_balanced(&recorder);
    recorder.shutdown_blocking(MINUTE);
    thread.join().unwrap();
}

#[test]
fn a_dispatcher_that_cannot_live_is_given_up_and_says_so() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let (recorder, dispatcher) = Recorder::builder(FaultSink::discarding().hang())
        .on_dead_letter(move |letter| {
            hook.lock()
                .unwrap()
                .push((letter.id(), letter.fault().is_lost()))
        })
        .assemble();
    dispatcher
        .sabotage
        .store(u32::MAX, std::sync::atomic::Ordering::SeqCst);
    let ids = record(&recorder, 3);
    super::super::start(dispatcher).unwrap().join().unwrap();
    let told = told.lock().unwrap().clone();
    assert_eq!(told, ids.iter().map(|id| (*id, true)).collect::<Vec<_>>());
    assert_eq!(recorder.stats().lost, 3);
    assert_balanced(&recorder);
    assert!(recorder.record(event()).unwrap_err().is_down());
    let health = recorder.health();
    assert_eq!(health.state, crate::HealthState::Unhealthy);
    assert!(health.reason.unwrap().contains("was stopped"));
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_reported_once_there_is_room() {
    const GAP: crate::Action = crate::Action::checked("audit.gap");
    let sink = FaultSink::new(crate::MemorySink::new()).latency(Duration::from_secs(1));
    let recorder = start(
        Recorder::builder(sink.clone())
            .capacity(20)
            .concurrency(1)
            .gap_action(GAP),
    );
    let kept: Vec<_> = (0..100)
        .filter_map(|_| recorder.record(event()).err())
        .enumerate()
        // Some callers keep what is handed back.
        .filter_map(|(index, error)| (index < 10).then(|| error.into_event()))
        .collect();
    assert_eq!((kept.len(), recorder.stats().dropped), (10, 70));
    assert_eq!(recorder.health().state, crate::HealthState::Unhealthy);
    assert!(recorder.flush(60 * MINUTE).await.is_complete());
    assert!(recorder.flush(60 * MINUTE).await.is_complete());
    let gaps: Vec<_> = sink
        .inner()
        .events()
        .into_iter()
        .filter(|event| event.action() == "audit.gap")
        .map(|event| event.metadata_value("count").unwrap().to_string())
        .collect();
    assert_eq!(gaps, ["70"]);
    assert_eq!(recorder.stats().generated, 1);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn the_catalog_is_verified_until_the_sink_answers() {
    const ACTION: crate::EmbeddedAction =
        crate::EmbeddedAction::new("document.delete", None, &[], None, false, None, &[]);
    const CATALOG: crate::EmbeddedCatalog = crate::EmbeddedCatalog::new(&[ACTION], &[], &[]);

    /// Scripts the replies to `unknown_actions`, which no other test needs: first these, then none.
    struct Asked(Mutex<VecDeque<Result<Vec<&'static str>, Fault>>>);
    impl Sink for Asked {
        async fn deliver(&self, _: &Event) -> Delivery {
            Ok(())
        }
        async fn unknown_actions(
            &self,
            actions: &[&'static str],
        ) -> Result<Vec<&'static str>, Fault> {
            assert_eq!(actions, ["document.delete"]);
            let answer = self.0.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| Ok(Vec::new()))
        }
    }

    let health = async |answers: Vec<Result<Vec<&'static str>, Fault>>, after: Duration| {
        let sink = Asked(Mutex::new(answers.into()));
        let recorder = start(Recorder::builder(sink).catalog(CATALOG).verify_catalog());
        tokio::time::sleep(after).await;
        recorder.health().reason.unwrap_or_default()
    };
    let away = || Err(Fault::retryable("503"));
    let second = Duration::from_secs(1);
    assert!(
        health(vec![away()], second)
            .await
            .contains("could not be asked")
    );
    assert_eq!(health(vec![away()], MINUTE).await, "");
    let unknown = vec![away(), Ok(vec!["document.delete"])];
    assert!(health(unknown, MINUTE).await.contains("document.delete"));
}
