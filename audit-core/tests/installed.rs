//! The installed recorder takes the events of code outside any scope. A process has one, so this
//! test has a process.

use std::time::Duration;

use audit_core::{Actor, Event, MemorySink, Outcome, Recorder, record, try_record};

#[test]
fn outside_any_scope_the_installed_recorder_takes_the_event_at_once() {
    record!("document.delete", target(document = 0));
    assert_eq!(audit_core::unrecorded(), 1, "nobody is there yet");

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

    // Refused events have nobody to go back to, and are counted.
    record!("document.delete", target(document = 3));
    assert_eq!(recorder.stats().refused, 1);
    assert_eq!(audit_core::unrecorded(), 1);
}
