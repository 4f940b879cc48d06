//! Tests the arguments besides a target's id: names, metadata, many targets, errors,
//! the draft in the body.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use audit_core::{Actor, Event, MemorySink, Outcome, Recorder, Stats, Target, audited};

#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

/// Runs a job and returns its events and the statistics.
async fn recorded(job: impl Future) -> (Vec<Event>, Stats) {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone()).build().unwrap();
    drop(recorder.scope().actor(Actor::system()).run(job).await);
    recorder.shutdown(Duration::from_secs(10)).await;
    (sink.take(), recorder.stats())
}

async fn one(job: impl Future) -> Event {
    let (mut events, _) = recorded(job).await;
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn targets(event: &Event) -> Vec<String> {
    let shown = event.targets().map(|target| {
        let metadata: String = target
            .metadata()
            .iter()
            .map(|(key, value)| format!(" {key}={value}"))
            .collect();
        format!(
            "{}:{} {:?}{metadata}",
            target.kind(),
            target.id(),
            target.name()
        )
    });
    shown.collect()
}

fn text(event: &Event, key: &str) -> Option<String> {
    event.metadata_value(key).map(|value| value.to_string())
}

#[tokio::test]
async fn a_target_has_its_own_name_and_metadata() {
    let event = one(share_with(1, "Plan", Some(9), 7, 3)).await;
    assert_eq!(
        targets(&event),
        [
            r#"document:1 Some("Plan") size=9 owner=7"#,
            r#"user:3 Some("3")"#
        ]
    );
}

#[tokio::test]
async fn an_absent_value_or_target_is_omitted_with_its_details() {
    let event = one(share_absent(1, None)).await;
    assert_eq!(targets(&event), [r#"document:1 Some("Plan")"#]);
}

#[audited(
    action = "document.share",
    target(document = id, name = "Plan", metadata(size = None::<u64>)),
    target(user = user, name = "nobody", metadata()),
    metadata(role = "reader"),
)]
async fn share_absent(id: u64, user: Option<u64>) {}

#[audited(
    action = "document.share",
    target(document = id, name = title, metadata(size = size, owner = display(owner))),
    target(user = user, name = display(user)),
    metadata(role = "reader"),
)]
async fn share_with(id: u64, title: &str, size: Option<u64>, owner: u8, user: u64) {}

#[audited(action = "document.share", target(document = 1), target(user in users), metadata(role = "reader"))]
async fn share_with_many(users: &BTreeSet<u64>) {}

#[tokio::test]
async fn many_targets_are_split_over_events_of_twenty() {
    let users: BTreeSet<u64> = (100..140).collect();
    let (events, stats) = recorded(share_with_many(&users)).await;
    let sizes: Vec<_> = events.iter().map(|event| event.targets().count()).collect();
    assert_eq!((sizes, stats.accepted), (vec![20, 20, 3], 3));
    assert!(
        events
            .iter()
            .all(|event| event.targets().next().unwrap().kind() == "document")
    );
    assert!(
        events
            .iter()
            .all(|event| text(event, "role").as_deref() == Some("reader"))
    );

    let few = one(share_with_many(&BTreeSet::from([5, 6]))).await;
    assert_eq!(
        targets(&few),
        ["document:1 None", "user:5 None", "user:6 None"]
    );
}

struct Made {
    id: u64,
    title: String,
    readers: Vec<u64>,
}

#[audited(
    action = "document.share",
    target(document = ok.id, name = ok.title, metadata(size = ok.title.len())),
    target(user in ok.readers),
    metadata(role = "reader"),
    error = display,
)]
fn make(allowed: bool) -> Result<Made, Refused> {
    if !allowed {
        return Err(Refused("not today"));
    }
    Ok(Made {
        id: 4,
        title: "Four".to_owned(),
        readers: vec![8, 9],
    })
}

#[tokio::test]
async fn values_of_a_result_are_names_metadata_and_many_targets() {
    let made = one(async { make(true) }).await;
    assert_eq!(
        targets(&made),
        [
            r#"document:4 Some("Four") size=4"#,
            "user:8 None",
            "user:9 None"
        ]
    );
    assert_eq!(text(&made, "error"), None);
}

#[tokio::test]
async fn the_text_of_an_error_is_recorded_on_request() {
    let refused = one(async { make(false) }).await;
    assert_eq!(targets(&refused), ["document:unresolved None"]);
    assert_eq!(
        text(&refused, "error").as_deref(),
        Some("refused: not today")
    );
    assert_eq!(refused.outcome(), Outcome::Failed);
}

#[audited(action = "document.delete", target = "id", event = ev)]
async fn with_draft(id: u64, how: &str) -> Result<u64, Refused> {
    ev.target(Target::new("document", 77).name("another"));
    tokio::task::yield_now().await;
    match how {
        "deny" => ev.deny("locked"),
        "skip" => ev.skip("nothing was there to delete"),
        "metadata" => {
            ev.metadata("depth", 3);
            ev.metadata("no spaces", 1);
            ev.metadata("outcome", "mine");
        }
        "panic" => {
            ev.deny("locked");
            assert!(how.is_empty(), "on purpose");
        }
        _ => {}
    }
    Ok(id)
}

#[tokio::test]
async fn the_body_adds_to_its_event() {
    let event = one(with_draft(1, "metadata")).await;
    assert_eq!(
        targets(&event),
        ["document:1 None", r#"document:77 Some("another")"#]
    );
    assert_eq!(text(&event, "depth").as_deref(), Some("3"));
    assert_eq!(
        event.truncated().collect::<Vec<_>>(),
        ["no spaces", "outcome"],
        "omitted keys are listed"
    );
    assert_eq!(event.outcome(), Outcome::Succeeded);
}

#[tokio::test]
async fn the_body_may_deny_and_skip() {
    let denied = one(with_draft(1, "deny")).await;
    assert_eq!(
        (denied.outcome(), text(&denied, "error").as_deref()),
        (Outcome::Denied, Some("locked"))
    );
    let (events, stats) = recorded(with_draft(1, "skip")).await;
    assert_eq!((events.len(), stats.skipped, stats.accepted), (0, 1, 0));
}

#[tokio::test]
async fn a_panic_after_a_denial_is_a_panic() {
    let event = one(async {
        let scope = audit_core::Scope::current().unwrap();
        tokio::spawn(scope.in_scope(with_draft(1, "panic"))).await
    });
    assert_eq!(event.await.outcome(), Outcome::Panicked);
}

#[audited(action = "document.delete", target = "id", outcome = Made::outcome)]
fn with_own_outcome(id: u64) -> Made {
    Made {
        id,
        title: String::new(),
        readers: Vec::new(),
    }
}

impl Made {
    fn outcome(&self) -> Outcome {
        if self.id == 0 {
            Outcome::Denied
        } else {
            Outcome::Succeeded
        }
    }
}

#[tokio::test]
async fn a_named_function_returns_the_outcome() {
    assert_eq!(
        one(async { with_own_outcome(0) }).await.outcome(),
        Outcome::Denied
    );
    assert_eq!(
        one(async { with_own_outcome(1) }).await.outcome(),
        Outcome::Succeeded
    );
}

#[audited(action = "document.delete", target = "id", on = [denied, failed])]
fn only_refusals(id: u64) -> Result<u64, Refused> {
    if id == 0 {
        Err(Refused("zero"))
    } else {
        Ok(id)
    }
}

#[tokio::test]
async fn other_outcomes_leave_no_event_and_are_counted() {
    let (events, stats) = recorded(async { (only_refusals(1), only_refusals(0)) }).await;
    assert_eq!(
        events.iter().map(Event::outcome).collect::<Vec<_>>(),
        [Outcome::Failed]
    );
    assert_eq!((stats.accepted, stats.skipped), (1, 1));
}

#[audited(action = "folder.empty", target = "id", catalog = "tests/other.toml")]
fn of_another_catalog(id: u64) {}

#[tokio::test]
async fn an_attribute_may_name_its_catalog() {
    assert_eq!(
        one(async { of_another_catalog(3) }).await.action(),
        "folder.empty"
    );
}
