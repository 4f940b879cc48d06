//! Points on which descriptions of the API disagree, or are silent where a reader expects a word:
//! the reference, its guides, the official SDKs of several ages, and what is written about them
//! elsewhere. Each is settled by a test of this program, by a sentence of our documentation, or by
//! both. A name in backticks is a test; a text in quotation marks is found in the file that follows
//! it.
//!
//! | point | as it is here | settled by |
//! | --- | --- | --- |
//! | whether the fields of an event stand beside `organization_id` or inside `event` | inside; the flat form is a 422 | `create_event::flat`, `wire::an_event_has_the_documented_form` |
//! | how the fields are spelled, in snake_case or camelCase | as on the wire, in snake_case, whatever an SDK's language prefers | `wire::an_event_has_the_documented_form`, `sdk::an_event_is_stored_once_per_key` |
//! | whether `context` may be left out | it is required, with a location; without a request it is `internal` | `create_event::without_required_fields`, `wire::the_smallest_event_leaves_out_what_is_optional` |
//! | whether the answer to a new event is 201 with the event, or 200 | 200 without an id; the client takes any 2xx that says `success` | `create_event::stored`, "any 2xx is a success if its body says so" in `audit-core/src/workos/events.rs` |
//! | whether `occurred_at` is when the event is sent or when it happened | when it happened, however late it is sent | `disagreements::an_event_keeps_the_time_at_which_it_happened` |
//! | which values metadata takes | texts of at most 500 characters, numbers and booleans | `disagreements::nothing_but_texts_numbers_and_booleans_is_metadata`, `limits::a_value_is_cut_exactly_where_the_server_would_refuse_it` |
//! | whether events can be sent in batches | one per request; a recorder sends several requests at a time | `disagreements::there_is_no_batch`, "The service takes one event per request" in `audit-core/src/workos/events.rs` |
//! | whether an export's filter may hold a wildcard | the service has none; the client sends the names that it matches | `client::a_wildcard_is_sent_as_the_names_that_it_matches`, `disagreements::the_server_knows_no_wildcard` |
//! | whether an empty filter means everything | a filter that is not used is not sent, and a wildcard without a match is an error | `wire::the_smallest_export_has_no_filters`, `client::a_wildcard_is_sent_as_the_names_that_it_matches` |
//! | whether a webhook tells that an export is ready | it is polled | `client::an_export_is_made_waited_for_and_downloaded`, "No webhook is documented to say that an export is ready" in `audit-core/src/workos/exports.rs` |
//! | how far back an export may reach | three months; the client warns and splits, the local server does not refuse | "events of that time are not exported, whatever the retention" in `audit-core/src/workos/export_request.rs`, "older than three months, which the service may refuse, is not refused" in `audit-server/src/lib.rs` |
//! | whether an export always becomes ready | it may end as `error` or `expired`, which ends the wait | `client::a_wait_ends_with_the_export`, `get_export::failed`, `get_export::expired` |
//! | whether the end of an export's range is part of it | the client leaves it open; the local server takes the start and not the end | `get_export::ready`, "The service does not document whether an event at exactly `end` is included" in `audit-core/src/workos/export_request.rs` |
//! | by which request a retention is set | `PUT` of the organization's own path, with `retention_period` | `wire::a_retention_is_set_by_the_name_of_its_period`, `set_retention::to_no_period` |
//! | which retention periods there are | 1 to 11 months and 1 to 10 years, by name or by days; 30 and 365 alone is older | `set_retention::set_by_name`, `set_retention::set_by_days`, `client::a_retention_is_set_and_read` |
//! | whether days that are no period are rounded | they are an error that names the nearest | "Nothing is rounded, since a period that is too short deletes events" in `audit-core/src/workos/retention.rs`, `set_retention::to_no_period` |
//! | whether a configuration has a number or null without a retention period | a number, which is all that the official SDKs take | `get_configuration::of_no_period`, `sdk::a_configuration_is_read_with_and_without_a_period` |
//! | whether schemas are optional | an action has to be registered before its first event | `create_event::refused_for_an_unknown_action` |
//! | which schema version counts without `version` | the first, not the newest | `disagreements::without_a_version_the_first_schema_counts`, "is checked against version 1 of its action" in `audit-server/src/lib.rs` |
//! | whether what a schema refuses is a 400 or a 422 | 400 with pointers; 422 is for what is not of the right form | `create_event::refused_by_its_schema`, `create_event::without_required_fields` |
//! | what is worth repeating | 408, 429, 5xx and no answer, under the same key; no other refusal | `disagreements::only_what_may_pass_later_is_worth_repeating`, "408, 429, any 5xx, or no response" in `audit-core/src/workos/error.rs` |
//! | what a repeated key gives | the first answer, for events alone | `create_event::stored_once_per_key`, `disagreements::only_events_are_kept_from_being_made_twice` |
//! | for whom a key counts | for its API key; the reference does not say | `disagreements::a_key_counts_for_its_api_key_alone`, "separately for each API key" in `audit-server/src/lib.rs` |
//! | whether an event of the future is dropped | it is stored | `disagreements::an_event_of_the_future_is_stored`, "may be any moment, also in the future" in `audit-server/src/lib.rs` |
//! | whether events can be listed or read one by one | not through the API; the local server has routes of its own | `disagreements::events_are_not_read_through_the_api` |
//! | what an API key looks like | it begins with `sk_`, and another is refused before it is sent | `disagreements::a_key_begins_with_sk`, "the API key does not start with `sk_`" in `audit-core/src/workos/config.rs` |
//! | whether a call that fails may stop what it is about | recording returns at once, whether the service is there or not | `disagreements::recording_does_not_wait_for_the_service` |
//! | whether `intent` is required for a portal link | the organization alone is | `generate_link::linked_without_an_intent`, `sdk::a_portal_link_is_made_with_and_without_an_intent` |
//! | whether an action's name in a path is encoded | the client encodes it, the server decodes it | `wire::a_schema_has_the_documented_form`, `create_schema::registered_with_targets_only` |

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use audit_server::{Fault, LocalServer};
use audit_tower::workos::{ApiKey, RetentionPeriod};
use audit_tower::{Actor, Event, Recorder, Target, WorkOs};
use serde_json::{Value, json};

use crate::index::{names, table, tests};
use crate::service::{Call, Service, changed, event, february};

const EVENTS: &str = "/audit_logs/events";

/// The fewest points there are, so that a table that is not found is noticed.
const POINTS: usize = 20;

/// A text without the marks of comments and the breaks of lines.
fn flowing(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.filter(|word| !["//", "///", "//!"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_point_is_settled_by_a_test_or_a_sentence() {
    let tests = tests();
    let rows = table(include_str!("disagreements.rs"));
    assert!(rows.len() > POINTS, "{} rows", rows.len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for row in &rows[1..] {
        let [point, _, settled] = row[..] else {
            panic!("a row has three cells: {row:?}");
        };
        if point == "---" {
            continue;
        }
        // Sentences first, since one may hold backticks of its own.
        let pieces: Vec<_> = settled.split('"').collect();
        let (outside, sentences) = (pieces.iter().step_by(2), pieces.iter().skip(1).step_by(2));
        let (mut named, mut files) = (Vec::new(), Vec::new());
        for name in outside.flat_map(|piece| names(piece)) {
            let list = if name.contains('/') {
                &mut files
            } else {
                &mut named
            };
            list.push(name);
        }
        let sentences: Vec<_> = sentences.collect();
        assert!(
            !named.is_empty() || !sentences.is_empty(),
            "{point}: settled by nothing"
        );
        assert_eq!(
            sentences.len(),
            files.len(),
            "{point}: a file for each sentence"
        );
        for test in named {
            assert!(tests.contains(test), "{point}: {test} is no test");
        }
        for (sentence, file) in sentences.into_iter().zip(files) {
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert!(
                flowing(&text).contains(*sentence),
                "{point}: {file} does not say {sentence:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_event_keeps_the_time_at_which_it_happened() {
    let service = Service::start();
    service.register("team.updated").await;
    let event = Event::builder("team.updated")
        .organization("org_1")
        .actor(Actor::system())
        .target(Target::new("team", 1))
        .occurred_at(UNIX_EPOCH + Duration::from_millis(1_234))
        .build()
        .unwrap();
    service.clock.advance(Duration::from_secs(3_600));
    service.client().create_event(&event).await.unwrap();
    let stored = service.server.events().unwrap().remove(0).event();
    assert_eq!(stored["occurred_at"], "1970-01-01T00:00:01.234Z");
}

#[tokio::test]
async fn nothing_but_texts_numbers_and_booleans_is_metadata() {
    let service = Service::start();
    service.register("team.updated").await;
    let send = async |value: Value| {
        let event = changed(|event| event["metadata"]["plan"] = value);
        service.send(service.post(EVENTS, &event)).await.status
    };
    for value in [json!("x"), json!(""), json!(1), json!(-0.5), json!(true)] {
        assert_eq!(send(value.clone()).await, 200, "{value}");
    }
    for value in [json!(null), json!([]), json!(["x"]), json!({})] {
        assert_eq!(send(value.clone()).await, 400, "{value}");
    }
}

#[tokio::test]
async fn there_is_no_batch() {
    let service = Service::start();
    service.register("team.updated").await;
    let several = json!([event(), event()]);
    let answer = service.send(service.post(EVENTS, &several)).await;
    assert_eq!(answer.status, 422);
    let path = format!("{EVENTS}/batch");
    let answer = service.send(service.post(path, &several)).await;
    assert_eq!(answer.status, 404);
    assert_eq!(service.server.stats().unwrap().accepted(), 0);
}

#[tokio::test]
async fn the_server_knows_no_wildcard() {
    let service = Service::start();
    service.register("team.updated").await;
    service.send(service.post(EVENTS, &event())).await;
    let mut request = february();
    for (action, rows) in [("team.*", 0), ("team.updated", 1)] {
        request["actions"] = json!([action]);
        let made = service
            .send(service.post("/audit_logs/exports", &request))
            .await;
        service.clock.advance(crate::service::EXPORT_DELAY);
        let path = format!("/audit_logs/exports/{}", made.text("/id"));
        let ready = service.send(service.get(path)).await;
        let (_, file) = service.download(ready.text("/url")).await;
        assert_eq!(file.lines().count(), 1 + rows, "{action}: {file}");
    }
}

#[tokio::test]
async fn without_a_version_the_first_schema_counts() {
    let service = Service::start();
    service.register("team.updated").await;
    let path = "/audit_logs/actions/team.updated/schemas";
    let newer = json!({ "targets": [{ "type": "folder" }] });
    assert_eq!(
        service.send(service.post(path, &newer)).await.body["version"],
        2
    );
    let send = async |kind: &str, version: Option<u32>| {
        let event = changed(|event| {
            event["targets"][0]["type"] = json!(kind);
            event.as_object_mut().unwrap().remove("version");
            if let Some(version) = version {
                event["version"] = json!(version);
            }
        });
        service.send(service.post(EVENTS, &event)).await.status
    };
    assert_eq!(
        (send("team", None).await, send("folder", None).await),
        (200, 400)
    );
    assert_eq!(
        (send("team", Some(2)).await, send("folder", Some(2)).await),
        (400, 200)
    );
    assert_eq!(send("team", Some(3)).await, 400);
}

#[tokio::test]
async fn only_what_may_pass_later_is_worth_repeating() {
    let service = Service::start();
    let client = service.client();
    for (status, repeated) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (408, true),
        (409, false),
        (422, false),
        (429, true),
        (500, true),
        (503, true),
    ] {
        service.server.inject(Fault::status(status));
        let period = RetentionPeriod::years(1).unwrap();
        let error = client.set_retention("org_1", period).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.is_retryable(), repeated, "{status}");
    }
    service.server.inject(Fault::reset());
    let period = RetentionPeriod::years(1).unwrap();
    let error = client.set_retention("org_1", period).await.unwrap_err();
    assert!(error.is_retryable() && error.status().is_none(), "{error}");
}

#[tokio::test]
async fn only_events_are_kept_from_being_made_twice() {
    let service = Service::start();
    let twice = async |mut call: Call| {
        call.headers.push(("idempotency-key", "k-1".to_owned()));
        let first = service.send(call.clone()).await;
        (first, service.send(call).await)
    };
    let schema = json!({ "targets": [{ "type": "team" }] });
    let path = "/audit_logs/actions/team.updated/schemas";
    let (first, second) = twice(service.post(path, &schema)).await;
    assert_eq!(
        (&first.body["version"], &second.body["version"]),
        (&json!(1), &json!(2))
    );
    let (first, second) = twice(service.post("/audit_logs/exports", &february())).await;
    assert_ne!(first.text("/id"), second.text("/id"));
    let (first, second) = twice(service.post(EVENTS, &event())).await;
    assert_eq!(first.body, second.body);
    assert_eq!(service.server.stats().unwrap().accepted(), 1);
}

#[tokio::test]
async fn a_key_counts_for_its_api_key_alone() {
    let service = Service::with(|builder| builder.api_key("sk_test_a").api_key("sk_test_b"));
    service.register("team.updated").await;
    for (key, stored) in [("sk_test_a", 1), ("sk_test_b", 2), ("sk_test_a", 2)] {
        let mut call = service.post(EVENTS, &event());
        call.key = Some(key.to_owned());
        call.headers.push(("idempotency-key", "k-1".to_owned()));
        assert_eq!(service.send(call).await.status, 200);
        assert_eq!(service.server.stats().unwrap().accepted(), stored);
    }
}

#[tokio::test]
async fn an_event_of_the_future_is_stored() {
    let service = Service::start();
    service.register("team.updated").await;
    let future = changed(|event| event["occurred_at"] = json!("2999-12-31T23:59:59.999Z"));
    assert_eq!(
        service.send(service.post(EVENTS, &future)).await.status,
        200
    );
    let stored = service.server.events().unwrap().remove(0).event();
    assert_eq!(stored["occurred_at"], "2999-12-31T23:59:59.999Z");
}

#[tokio::test]
async fn events_are_not_read_through_the_api() {
    let service = Service::start();
    assert_eq!(service.send(service.get(EVENTS)).await.status, 405);
    let one = service.get(format!("{EVENTS}/1"));
    assert_eq!(service.send(one).await.status, 404);
    assert_eq!(
        service.send(service.get("/_local/events")).await.status,
        200
    );
}

#[tokio::test]
async fn recording_does_not_wait_for_the_service() {
    // A server that is gone: its port answers nobody.
    let service = Service::start();
    let url = service.server.url().to_owned();
    drop(service);
    let key = ApiKey::new("sk_test_1").unwrap();
    let client = WorkOs::builder(key).base_url(url).build().unwrap();
    let recorder = Recorder::builder(client).build().unwrap();
    let event = Event::builder("team.updated")
        .organization("org_1")
        .actor(Actor::system())
        .target(Target::new("team", 1));
    assert!(recorder.record(event.build().unwrap()).is_ok());
    let report = recorder.shutdown(Duration::ZERO).await;
    assert_eq!((report.delivered, report.lost), (0, 1));
}

#[test]
fn a_key_begins_with_sk() {
    assert!(ApiKey::new("sk_test_1").is_ok());
    assert!(LocalServer::builder().api_key("sk_test_1").start().is_ok());
    for key in ["", "client_1", "pk_test_1", "SK_test_1"] {
        assert!(ApiKey::new(key).is_err(), "{key}");
        assert!(
            LocalServer::builder().api_key(key).start().is_err(),
            "{key}"
        );
    }
}
