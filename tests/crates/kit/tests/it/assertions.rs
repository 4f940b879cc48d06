//! The messages of failed assertions, and their locations.

use std::panic::{Location, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::{Arc, Mutex};

use audit_tower::testing::Events;
use audit_tower::{Actor, Event, Outcome, Target, assert_audited, assert_not_audited};

fn events() -> Events {
    let event = |action, id: u64, outcome| {
        Event::builder(action)
            .actor(Actor::user("ada"))
            .organization("org_1")
            .target(Target::new("document", id))
            .metadata("title", "Plan")
            .outcome(outcome)
            .build()
            .unwrap()
    };
    Events::from(vec![
        event("document.create", 7, Outcome::Succeeded),
        event("document.delete", 8, Outcome::Failed),
        event("document.delete", 9, Outcome::Failed),
    ])
}

/// Returns the message of a failing assertion, and the source line that its panic points at.
fn failure(assertion: fn(&Events)) -> (String, &'static str) {
    let events = events();
    let line = Arc::new(Mutex::new(None));
    let reported = Arc::clone(&line);
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let place = panic.location().filter(|place| place.file() == file!());
        *reported.lock().unwrap() = place.map(Location::line);
    }));
    let failed = catch_unwind(|| assertion(&events));
    set_hook(before);
    let message = failed.expect_err("it fails").downcast::<String>().unwrap();
    let line = line.lock().unwrap().expect("it fails in this file");
    let mut source = include_str!("assertions.rs").lines();
    (*message, source.nth(line as usize - 1).unwrap_or_default())
}

/// One test, since the panic hook is global to the process.
#[test]
fn failed_assertion_shows_the_differences_at_its_own_line() {
    let failures: [fn(&Events); 7] = [
        |events| {
            drop(assert_audited!(
                events,
                action = "document.delete",
                target(document = 9),
                outcome = succeeded,
                actor = "bob",
                metadata(title = "Plan", "page-count" = 3)
            ));
        },
        |events| {
            drop(assert_audited!(
                events,
                action = "document.share",
                organization = "org_1"
            ))
        },
        |events| drop(assert_audited!(events, action = "document.delete")),
        |events| drop(assert_audited!(events, outcome = failed, count = 3)),
        |events| assert_not_audited!(events, target("document" = 7), actor(user = "ada")),
        |events| assert_not_audited!(events),
        |_| {
            drop(assert_audited!(
                Events::default(),
                outcome = Outcome::Denied
            ))
        },
    ];
    let mut found = String::new();
    for failed in failures {
        let (message, line) = failure(failed);
        assert!(line.contains("assert_"), "the panic points at `{line}`");
        found.push_str(&message);
        found.push_str("----\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/failures.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "UPDATE_EXPECT=1 accepts it");
}
