//! `Idempotency-Key`: which responses are saved, for which API key and for how long.

use std::time::Duration;

use audit_server::{LocalServer, ManualClock};
use serde_json::{Value, json};

use crate::support::{Bench, EVENTS, Reply, changed, event};

#[test]
fn repeated_key_gets_the_same_response_and_one_row() {
    let bench = Bench::with_schema();
    let first = bench.send_with_key(&event(), "key-1");
    let other = changed(|event| event["actor"]["id"] = json!("another user"));
    let second = bench.send_with_key(&other, "key-1");
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let third = bench.send_with_key(&json!({}), "key-1");
    assert_eq!(
        third.status, 200,
        "the same key gets the same response, whatever the body"
    );
    let rows = bench.server.events().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].idempotency_key(), rows[0].event()),
        (Some("key-1"), event()["event"].clone())
    );
    let stats = bench.server.stats().unwrap();
    assert_eq!(
        (stats.accepted(), stats.rejected(), stats.duplicates()),
        (1, 0, 2)
    );
}

#[test]
fn only_responses_to_accepted_events_are_saved() {
    let bench = Bench::with_schema();
    assert_eq!(
        bench
            .send_with_key(&changed(|event| event["targets"] = json!([])), "key-1")
            .status,
        400
    );
    assert_eq!(bench.send_with_key(&event(), "key-1").status, 200);
    assert_eq!(bench.server.stats().unwrap().duplicates(), 0);
}

#[test]
fn key_expires_after_24_hours() {
    let clock = ManualClock::starting_now();
    let bench = Bench::with(
        LocalServer::builder()
            .organization("org_1")
            .clock(clock.clone()),
    );
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    bench.send_with_key(&event(), "key-1");
    clock.advance(Duration::from_secs(24 * 60 * 60) - Duration::from_millis(1));
    bench.send_with_key(&event(), "key-1");
    assert_eq!(bench.server.events().unwrap().len(), 1);
    clock.advance(Duration::from_millis(1));
    bench.send_with_key(&event(), "key-1");
    assert_eq!(bench.server.events().unwrap().len(), 2);
}

#[test]
fn keys_of_two_api_keys_are_separate() {
    let bench = Bench::with(
        LocalServer::builder()
            .organization("org_1")
            .api_key("sk_one")
            .api_key("sk_two"),
    );
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    for key in ["sk_one", "sk_two", "sk_one"] {
        let request = bench
            .client
            .post(bench.url(EVENTS))
            .bearer_auth(key)
            .header("idempotency-key", "key-1");
        let reply = Reply::from(
            request
                .header("content-type", "application/json")
                .body(event().to_string())
                .send()
                .unwrap(),
        );
        assert_eq!(reply.status, 200);
    }
    assert_eq!(bench.server.events().unwrap().len(), 2);
}

#[test]
fn concurrent_requests_with_one_key_store_one_row() {
    let bench = Bench::with_schema();
    let barrier = std::sync::Barrier::new(8);
    let bodies: Vec<Value> = std::thread::scope(|scope| {
        let send = || {
            barrier.wait();
            let reply = bench.send_with_key(&event(), "key-1");
            assert_eq!(reply.status, 200);
            reply.body
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(bodies, vec![json!({ "success": true }); 8]);
    assert_eq!(bench.server.events().unwrap().len(), 1);
    assert_eq!(bench.server.stats().unwrap().duplicates(), 7);
}

#[test]
fn invalid_idempotency_key_is_a_bad_request() {
    let bench = Bench::with_schema();
    let reply = bench.send_with_key(&event(), &"k".repeat(256));
    assert_eq!(reply.status, 400);
    assert!(
        reply.body["message"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key")
    );
}
