//! The dispatcher under a virtual clock, against a sink that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Delivery, Event, EventId, Fault, Recorder, RecorderBuilder, Report, Sink};

/// What the sink does with the next attempt; once the script is at its end it takes everything.
enum Step {
    Take,
    Answer(Fault),
    Hang,
    Panic,
}

#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    attempts: Arc<Mutex<Vec<(EventId, Instant)>>>,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.into_iter().collect())),
            ..Self::default()
        }
    }

    fn attempts(&self) -> Vec<(EventId, Instant)> {
        self.attempts.lock().unwrap().clone()
    }
}

impl Sink for Script {
    async fn deliver(&self, event: &Event) -> Delivery {
        self.attempts
            .lock()
            .unwrap()
            .push((event.id(), Instant::now()));
        let step = self.steps.lock().unwrap().pop_front();
        match step {
            None | Some(Step::Take) => Ok(()),
            Some(Step::Answer(fault)) => Err(fault),
            Some(Step::Hang) => std::future::pending().await,
            Some(Step::Panic) => panic!("on purpose"),
        }
    }
}

/// A recorder whose dispatcher runs in the test's own runtime, and so under its clock.
fn start(builder: RecorderBuilder) -> Recorder {
    let (recorder, dispatcher) = builder.assemble();
    tokio::spawn(dispatcher.run());
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

/// The ledger balances: every accepted event is in exactly one place.
fn assert_balanced(recorder: &Recorder) {
    let stats = recorder.stats();
    assert_eq!(
        stats.accepted,
        stats.delivered + stats.pending + stats.dead + stats.lost,
        "{stats:?}"
    );
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_what_was_accepted_before_it() {
    let sink = Script::default();
    let recorder = start(Recorder::builder(sink.clone()));
    let ids = record(&recorder, 100);
    assert_eq!(
        recorder.flush(MINUTE).await,
        Report {
            delivered: 100,
            ..Report::default()
        }
    );
    let sent: Vec<_> = sink.attempts().into_iter().map(|(id, _)| id).collect();
    assert_eq!(sent, ids, "first in, first out");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_retryable_fault_is_repeated_with_the_same_id_until_it_is_taken() {
    let busy = || Step::Answer(Fault::retryable("busy"));
    let sink = Script::new([busy(), busy(), busy()]);
    let recorder = start(Recorder::builder(sink.clone()));
    let ids = record(&recorder, 1);
    assert!(recorder.flush(MINUTE).await.is_complete());
    let sent: Vec<_> = sink.attempts().into_iter().map(|(id, _)| id).collect();
    assert_eq!(sent, [ids[0]; 4]);
    assert_eq!(recorder.stats().retried, 3);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_everything_back_and_one_event_goes_first() {
    let wait = Duration::from_secs(30);
    let limit = Step::Answer(Fault::limited("slow down").after(Some(wait)));
    let sink = Script::new([limit]);
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 1);
    assert_eq!(recorder.flush(Duration::from_secs(1)).await.pending, 1);
    record(&recorder, 5);
    assert!(recorder.flush(5 * MINUTE).await.is_complete());
    let attempts = sink.attempts();
    assert_eq!(attempts.len(), 7);
    assert!(
        attempts[1].1 - attempts[0].1 >= wait,
        "nothing is sent inside the window"
    );
    assert_eq!(
        attempts[1].0, attempts[0].0,
        "the event that met the limit goes first"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rejected_event_is_a_dead_letter_and_delays_nobody() {
    let sink = Script::new([
        Step::Take,
        Step::Answer(Fault::rejected("no such action")),
        Step::Take,
    ]);
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
    let wrong_key = || Step::Answer(Fault::fatal("401"));
    let sink = Script::new([wrong_key(), wrong_key(), wrong_key()]);
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
async fn a_panicking_sink_makes_a_dead_letter_and_goes_on() {
    let sink = Script::new([Step::Panic]);
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
async fn a_sink_that_never_answers_fills_the_queue_and_blocks_nobody() {
    let sink = Script::new((0..100).map(|_| Step::Hang));
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
async fn a_shutdown_delivers_what_it_has_and_a_second_says_the_same() {
    let recorder = start(Recorder::builder(Script::default()));
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
async fn the_end_of_the_last_handle_is_a_shutdown() {
    let sink = Script::default();
    let (recorder, dispatcher) = Recorder::builder(sink.clone()).assemble();
    let task = tokio::spawn(dispatcher.run());
    record(&recorder, 3);
    drop(recorder);
    task.await.unwrap();
    assert_eq!(sink.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_dispatcher_is_woken_by_the_next_event() {
    let sink = Script::default();
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
    assert_eq!(recorder.shutdown_blocking(MINUTE).delivered, 10);
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
    assert_eq!(recorder.shutdown_blocking(MINUTE).delivered, 10);
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
