//! The installed recorder receives events from code outside any scope. A process has one, so this
//! test is a binary of its own.

use std::time::Duration;

use audit_core::{Actor, Event, MemorySink, Outcome, Recorder, record, try_record};

#[test]
fn installed_recorder_records_events_outside_any_scope_immediately() {
    record!("document.delete", target(document = 0));
    assert_eq!(audit_core::unrecorded(), 1, "no recorder is installed yet");

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .unwrap();
    recorder.install().unwrap();
    record!(
        "document.delete",
        target(document = 1),
        actor = &Actor::service("retention"),
        outcome = Outcome::Failed,
    );
    let id = try_record!(
        "document.delete",
        target(document = 2),
        actor = &Actor::service("retention"),
        organization = "org_2",
    )
    .unwrap();
    recorder.shutdown_blocking(Duration::from_secs(5));

    let events = sink.events();
    let found: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.targets().next().unwrap().id(),
                event.outcome(),
                event.organization(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("1", Outcome::Failed, Some("org_1")),
            ("2", Outcome::Succeeded, Some("org_2")),
        ]
    );
    assert_eq!(events.iter().map(Event::id).next_back(), Some(id));

    // A macro cannot return a refused event, so it is only counted.
    record!("document.delete", target(document = 3));
    assert_eq!(recorder.stats().refused, 1);
    assert_eq!(audit_core::unrecorded(), 1);
}
