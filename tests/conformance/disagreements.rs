//! Points on which the descriptions of the API disagree or are silent: the reference, its guides,
//! and the official SDKs of several versions. Each point is settled by a test of this program, by a
//! sentence of our documentation, or by both. A name in backticks is a test; a text in quotation
//! marks is in the file that follows it.
//!
//! | point | decision | settled by |
//! | --- | --- | --- |
//! | position of the event's fields: beside `organization_id`, or inside `event` | inside; the flat form is a 422 | `create_event::flat_body`, `wire::event_has_the_documented_form` |
//! | spelling of fields: snake_case or camelCase | snake_case, as on the wire | `wire::event_has_the_documented_form`, `sdk::event_is_stored_once_per_key` |
//! | `context` required or optional | it is required, with a location; without a request it is `internal` | `create_event::missing_required_fields`, `wire::minimal_event_omits_optional_fields` |
//! | response to a new event: 201 with the event, or 200 | 200 without an id; the client accepts any 2xx with `success: true` | `create_event::stored`, "any 2xx with `success: true` is a success" in `audit-core/src/workos/events.rs` |
//! | meaning of `occurred_at`: time of sending, or of occurrence | time of occurrence, however late the event is sent | `disagreements::event_keeps_its_occurrence_time` |
//! | types of metadata values | strings of at most 500 characters, numbers and booleans | `disagreements::metadata_accepts_only_strings_numbers_and_booleans`, `limits::values_are_truncated_at_the_servers_limit` |
//! | batches of events | one event per request; a recorder sends several requests concurrently | `disagreements::batches_are_not_supported`, "The service takes one event per request" in `audit-core/src/workos/events.rs` |
//! | wildcards in an export's filter | not supported by the service; the client sends the matching names | `client::wildcard_expands_to_matching_names`, `disagreements::server_does_not_expand_wildcards` |
//! | meaning of an empty filter | never sent: an unused filter is omitted, and a wildcard without a match is an error | `wire::minimal_export_has_no_filters`, `client::wildcard_expands_to_matching_names` |
//! | webhook for a ready export | none; the client polls | `client::export_is_created_awaited_and_downloaded`, "No webhook for a ready export is documented" in `audit-core/src/workos/exports.rs` |
//! | greatest age of exported events | three months; the client warns and splits, the local server does not refuse | "events of that time are not exported, whatever the retention" in `audit-core/src/workos/export_request.rs`, "older than three months, which the service may refuse, is not refused" in `audit-server/src/lib.rs` |
//! | exports that never become ready | `error` and `expired` end the wait | `client::wait_ends_when_the_export_fails_or_expires`, `get_export::failed`, `get_export::expired` |
//! | end of an export's range: inclusive or exclusive | not defined by the client; the local server includes the start and excludes the end | `get_export::ready`, "The service does not document whether an event at exactly `end` is included" in `audit-core/src/workos/export_request.rs` |
//! | request that sets a retention | `PUT` on the organization's path, with `retention_period` | `wire::retention_is_set_by_period_name`, `set_retention::unsupported_period` |
//! | supported retention periods | 1 to 11 months and 1 to 10 years, by name or by days; only 30 and 365 days is an older rule | `set_retention::set_by_name`, `set_retention::set_by_days`, `client::retention_is_set_and_read` |
//! | rounding of other numbers of days | none; the error names the nearest period | "Nothing is rounded, since a period that is too short deletes events" in `audit-core/src/workos/retention.rs`, `set_retention::unsupported_period` |
//! | configuration without a retention period: number or null | a number, the only type the official SDKs accept | `get_configuration::without_retention_period`, `sdk::configuration_is_read_with_and_without_a_period` |
//! | schemas required or optional | an action has to be registered before its first event | `create_event::unknown_action` |
//! | schema version of an event without `version` | the first, not the newest | `disagreements::event_without_a_version_is_validated_against_version_1`, "is checked against version 1 of its action" in `audit-server/src/lib.rs` |
//! | status of a schema violation: 400 or 422 | 400 with pointers; 422 is for a malformed event | `create_event::schema_mismatch`, `create_event::missing_required_fields` |
//! | retryable errors | 408, 429, 5xx and no response, with the same key; no other | `disagreements::only_transient_errors_are_retryable`, "408, 429, any 5xx, or no response" in `audit-core/src/workos/error.rs` |
//! | response to a repeated idempotency key | the first response, for events only | `create_event::stored_once_per_key`, `disagreements::idempotency_keys_apply_to_events_only` |
//! | scope of an idempotency key | the API key; not documented in the reference | `disagreements::idempotency_keys_are_scoped_to_the_api_key`, "separately for each API key" in `audit-server/src/lib.rs` |
//! | events with a future time | stored | `disagreements::future_event_is_stored`, "may be any moment, also in the future" in `audit-server/src/lib.rs` |
//! | listing and reading of events | not part of the API; the local server has its own routes | `disagreements::events_cannot_be_read_through_the_api` |
//! | format of an API key | starts with `sk_`; another is refused before it is sent | `disagreements::api_key_starts_with_sk`, "the API key does not start with `sk_`" in `audit-core/src/workos/config_error.rs` |
//! | effect of a failed call on the audited operation | none; recording returns immediately, with or without the service | `disagreements::recording_does_not_wait_for_the_service` |
//! | `intent` of a portal link required or optional | optional; only the organization is required | `generate_link::linked_without_an_intent`, `sdk::portal_link_is_created_with_and_without_an_intent` |
//! | encoding of an action's name in a path | percent-encoded by the client, decoded by the server | `wire::schema_has_the_documented_form`, `create_schema::registered_with_targets_only` |

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

/// The least number of points, so that a missing table fails the test.
const POINTS: usize = 20;

/// Removes comment markers and line breaks from a text.
fn flowing(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.filter(|word| !["//", "///", "//!"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_point_has_a_test_or_a_sentence() {
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
        // Split at quotation marks first, because a sentence may contain backticks.
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
            "{point}: no test and no sentence"
        );
        assert_eq!(
            sentences.len(),
            files.len(),
            "{point}: each sentence needs a file"
        );
        for test in named {
            assert!(tests.contains(test), "{point}: there is no test {test}");
        }
        for (sentence, file) in sentences.into_iter().zip(files) {
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert!(
                flowing(&text).contains(*sentence),
                "{point}: {file} does not contain {sentence:?}"
            );
        }
    }
}

#[tokio::test]
async fn event_keeps_its_occurrence_time() {
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
async fn metadata_accepts_only_strings_numbers_and_booleans() {
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
async fn batches_are_not_supported() {
    let service = Service::start();
    service.register("team.updated").await;
    let several = json!([event(), event()]);
    let response = service.send(service.post(EVENTS, &several)).await;
    assert_eq!(response.status, 422);
    let path = format!("{EVENTS}/batch");
    let response = service.send(service.post(path, &several)).await;
    assert_eq!(response.status, 404);
    assert_eq!(service.server.stats().unwrap().accepted(), 0);
}

#[tokio::test]
async fn server_does_not_expand_wildcards() {
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
async fn event_without_a_version_is_validated_against_version_1() {
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
async fn only_transient_errors_are_retryable() {
    let service = Service::start();
    let client = service.client();
    for (status, retryable) in [
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
        assert_eq!(error.is_retryable(), retryable, "{status}");
    }
    service.server.inject(Fault::reset());
    let period = RetentionPeriod::years(1).unwrap();
    let error = client.set_retention("org_1", period).await.unwrap_err();
    assert!(error.is_retryable() && error.status().is_none(), "{error}");
}

#[tokio::test]
async fn idempotency_keys_apply_to_events_only() {
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
async fn idempotency_keys_are_scoped_to_the_api_key() {
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
async fn future_event_is_stored() {
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
async fn events_cannot_be_read_through_the_api() {
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
    // The server is stopped, so connections to its port are refused.
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
fn api_key_starts_with_sk() {
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
