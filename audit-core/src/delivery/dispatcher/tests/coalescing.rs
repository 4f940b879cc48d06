//! Tests of coalescing under a virtual clock.

use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use super::start;
use super::*;
use crate::catalog::{CoalesceBy, EmbeddedAction, EmbeddedCatalog, EmbeddedCoalesce};
use crate::event::{Actor, Outcome, Target};
use crate::recorder::{Recorder, RecorderBuilder};
use crate::sink::MemorySink;
use crate::testing::{FaultSink, assert_balanced};

const SECOND: Duration = Duration::from_secs(1);

/// `a` is coalesced by all parts for ten seconds, `b` is not.
fn builder(sink: impl crate::Sink) -> RecorderBuilder {
    const BY: &[CoalesceBy] = &[
        CoalesceBy::Actor,
        CoalesceBy::Target,
        CoalesceBy::Location,
        CoalesceBy::Outcome,
    ];
    const A: EmbeddedAction = EmbeddedAction::new("a", None, &[], None, false, None, &[])
        .coalesced(EmbeddedCoalesce::new(BY, 10));
    const B: EmbeddedAction = EmbeddedAction::new("b", None, &[], None, false, None, &[]);
    const CATALOG: EmbeddedCatalog = EmbeddedCatalog::new(&[A, B], &[], &[]);
    Recorder::builder(sink).catalog(CATALOG)
}

fn event(action: &str, target: &str, at: u64) -> Event {
    let event = Event::builder(action)
        .organization("org_1")
        .actor(Actor::user("u1"))
        .target(Target::new("t", target))
        .metadata("at", at)
        .occurred_at(UNIX_EPOCH + Duration::from_secs(at));
    event.build().unwrap()
}

/// Returns the `at` of each delivered event, and its `count` and `first_at` if it has them.
fn arrived(sink: &MemorySink) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |event: &Event, key| event.metadata_value(key).map(|value| value.to_string());
    let events = sink.events();
    let told = events.iter().map(|event| {
        let at = text(event, "at").unwrap();
        (at, text(event, "count"), text(event, "first_at"))
    });
    told.collect()
}

fn alone(at: &str) -> (String, Option<String>, Option<String>) {
    (at.to_owned(), None, None)
}

#[tokio::test(start_paused = true)]
async fn the_first_event_is_delivered_immediately_and_the_newest_represents_the_rest() {
    let sink = MemorySink::new();
    let recorder = start(builder(sink.clone()));
    for at in 1..=5 {
        recorder.record(event("a", "x", at)).unwrap();
    }
    sleep(9 * SECOND).await;
    assert_eq!(arrived(&sink), [alone("1")]);
    assert_eq!(recorder.stats().pending, 1);
    assert_eq!(recorder.health().oldest_pending, None, "it is not late");
    sleep(SECOND + SECOND / 10).await;
    let told = (
        "5".to_owned(),
        Some("4".to_owned()),
        Some("1970-01-01T00:00:02.000Z".to_owned()),
    );
    assert_eq!(arrived(&sink), [alone("1"), told]);
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.coalesced, stats.pending), (2, 3, 0));

    // The window has closed: the next event opens a new one, and one that represents only itself
    // has no count.
    recorder.record(event("a", "x", 6)).unwrap();
    recorder.record(event("a", "x", 7)).unwrap();
    sleep(11 * SECOND).await;
    assert_eq!(arrived(&sink)[2..], [alone("6"), alone("7")]);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn events_that_differ_in_a_part_action_or_organization_are_not_equal() {
    let sink = MemorySink::new();
    let recorder = start(builder(sink.clone()));
    let different = || {
        let base = || {
            Event::builder("a")
                .organization("o")
                .target(Target::new("t", "x"))
                .metadata("at", 0)
        };
        let user = || Actor::user("u");
        [
            base().actor(user()),
            base().actor(Actor::service("u")),
            base().actor(user()).organization("p"),
            base().actor(user()).target(Target::new("t", "y")),
            base().actor(user()).outcome(Outcome::Denied),
            base()
                .actor(user())
                .context(crate::Context::new().location("203.0.113.7")),
        ]
        .map(|event| event.build().unwrap())
    };
    for event in different() {
        recorder.record(event).unwrap();
    }
    recorder.record(event("b", "x", 0)).unwrap();
    recorder.record(event("b", "x", 0)).unwrap();
    sleep(SECOND).await;
    assert_eq!(recorder.stats().delivered, 8);
    for event in different() {
        recorder.record(event).unwrap();
    }
    sleep(SECOND).await;
    assert_eq!(
        (recorder.stats().delivered, recorder.stats().pending),
        (8, 6)
    );
}

#[tokio::test(start_paused = true)]
async fn flush_and_shutdown_do_not_wait_for_windows_and_their_reports_add_up() {
    let sink = MemorySink::new();
    let recorder = start(builder(sink.clone()));
    for at in 1..=3 {
        recorder.record(event("a", "x", at)).unwrap();
    }
    sleep(SECOND).await;
    // Of these, one is held already, and two come in behind it before the barrier.
    recorder.record(event("a", "x", 4)).unwrap();
    recorder.record(event("a", "x", 5)).unwrap();
    let report = recorder.flush(SECOND).await;
    assert!(report.is_complete());
    assert_eq!((report.delivered, report.coalesced), (1, 2));
    // The window goes on.
    recorder.record(event("a", "x", 6)).unwrap();
    recorder.record(event("a", "x", 7)).unwrap();
    sleep(SECOND).await;
    assert_eq!(recorder.stats().delivered, 2);
    let report = recorder.shutdown(SECOND).await;
    assert_eq!((report.delivered, report.coalesced), (1, 0));
    let counts: Vec<_> = arrived(&sink)
        .into_iter()
        .map(|(_, count, _)| count)
        .collect();
    let count = |count: &str| Some(count.to_owned());
    assert_eq!(counts, [None, count("4"), count("2")]);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_on_windows_events_are_delivered_one_by_one() {
    let sink = MemorySink::new();
    let recorder = start(builder(sink.clone()).capacity(8_192));
    for round in 0..2 {
        for target in 0..1_100 {
            recorder
                .record(event("a", &target.to_string(), round))
                .unwrap();
        }
        sleep(SECOND).await;
    }
    let stats = recorder.stats();
    // Each target's first event, and the second of those that have no window.
    assert_eq!((stats.delivered, stats.pending), (1_100 + 76, 1_024));
    sleep(10 * SECOND).await;
    assert_eq!(recorder.stats().delivered, 2_200);
}

#[tokio::test(start_paused = true)]
async fn held_events_leave_most_of_a_small_queue_to_others() {
    let size = event("a", "x", 0).size();
    let small = |builder: RecorderBuilder| start(builder.capacity(16));
    let events = small(builder(MemorySink::new()));
    let bytes = start(builder(MemorySink::new()).max_bytes(16 * size));
    for recorder in [events, bytes] {
        for _ in 0..2 {
            for target in 0..10 {
                recorder.record(event("a", &target.to_string(), 0)).unwrap();
            }
            sleep(SECOND).await;
        }
        assert_eq!(recorder.stats().pending, 4, "a quarter of the places");
        sleep(10 * SECOND).await;
        assert_eq!(recorder.stats().delivered, 20);
        assert_balanced(&recorder);
        // What was held gave back its room.
        for _ in 0..2 {
            recorder.record(event("a", "x", 0)).unwrap();
        }
        sleep(SECOND).await;
        assert_eq!(recorder.stats().pending, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn durable_and_already_coalesced_events_are_delivered_one_by_one() {
    let sink = MemorySink::new();
    let recorder = start(builder(sink.clone()));
    let mut durable = event("a", "x", 1);
    durable.set_durable();
    let mut counted = event("a", "x", 2);
    counted.represent(7, UNIX_EPOCH);
    for event in [durable.clone(), durable, counted.clone(), counted] {
        recorder.record(event).unwrap();
    }
    sleep(SECOND).await;
    assert_eq!(recorder.stats().delivered, 4);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_counts_held_events_when_the_sink_accepts_none() {
    let lost = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lost);
    let builder = builder(FaultSink::discarding().hang()).on_dead_letter(move |letter| {
        let count = letter.event().metadata_value("count");
        let count = count.map(|count| count.to_string());
        heard.lock().unwrap().push(count);
    });
    let recorder = start(builder);
    for at in 1..=4 {
        recorder.record(event("a", "x", at)).unwrap();
    }
    let report = recorder.shutdown(SECOND).await;
    assert_eq!((report.lost, recorder.stats().coalesced), (2, 2));
    assert_eq!(*lost.lock().unwrap(), [None, Some("3".to_owned())]);
    assert_balanced(&recorder);
}
