//! The server over real sockets: each documented status and body.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use audit_server::{EventFilter, EventStatus, LocalServer, ManualClock};
use serde_json::{Value, json};

use crate::support::{Bench, Reply, changed, event};

const EVENTS: &str = "/audit_logs/events";

#[test]
fn an_event_of_a_registered_action_is_stored_as_it_was_sent() {
    let bench = Bench::with_schema();
    let reply = bench.send(&event());
    assert_eq!(
        (reply.status, reply.body),
        (200, json!({ "success": true }))
    );
    let events = bench.server.events().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event(), event()["event"]);
    assert_eq!(
        (events[0].organization_id(), events[0].action()),
        (Some("org_1"), Some("team.updated"))
    );
    assert_eq!(
        (events[0].status(), events[0].http_status()),
        (EventStatus::Accepted, 200)
    );
}

#[test]
fn a_missing_or_wrong_key_is_unauthorized_on_every_route_of_the_service() {
    let bench = Bench::with_schema();
    let paths = [
        ("POST", EVENTS),
        ("GET", "/audit_logs/actions"),
        ("GET", "/audit_logs/actions/a/schemas"),
        ("POST", "/audit_logs/actions/a/schemas"),
    ];
    for (method, path) in paths {
        for key in [None, Some("sk_wrong")] {
            let request = bench
                .client
                .request(method.parse().unwrap(), bench.url(path))
                .header("content-type", "application/json");
            let request = request.body(event().to_string());
            let reply = Reply::from(
                key.map_or(request.try_clone().unwrap(), |key| request.bearer_auth(key))
                    .send()
                    .unwrap(),
            );
            assert_eq!(
                (reply.status, reply.body),
                (401, json!({ "message": "Unauthorized" })),
                "{method} {path}"
            );
        }
    }
    let refused = bench.server.events().unwrap();
    assert_eq!(
        refused.len(),
        2,
        "a wrong key is worth showing where an event gets lost by it"
    );
    assert!(
        refused
            .iter()
            .all(|row| row.http_status() == 401 && row.event_json().is_none())
    );
}

#[test]
fn an_unknown_organization_is_not_found() {
    let bench = Bench::with_schema();
    let mut body = event();
    body["organization_id"] = json!("org_nobody");
    let reply = bench.send(&body);
    assert_eq!(
        (reply.status, reply.body),
        (
            404,
            json!({ "message": "Organization not found: 'org_nobody'." })
        )
    );
}

#[test]
fn a_request_of_the_wrong_form_is_unprocessable() {
    let bench = Bench::with_schema();
    let missing = changed(|event| {
        event.as_object_mut().unwrap().remove("action");
    });
    let reply = bench.send(&missing);
    let expected = json!({ "message": "Validation failed.", "errors": [{ "code": "required", "field": "event.action" }] });
    assert_eq!((reply.status, reply.body), (422, expected));

    let mut flat = event()["event"].clone();
    flat["organization_id"] = json!("org_1");
    let reply = bench.send(&flat);
    let expected = json!({ "message": "Validation failed.", "errors": [{ "code": "required", "field": "event" }] });
    assert_eq!((reply.status, reply.body), (422, expected));

    let reply = bench.send(&changed(|event| {
        event["occurred_at"] = json!("2026-02-02T16:35:39+00:00")
    }));
    assert_eq!(
        reply.body["errors"],
        json!([{ "code": "invalid_format", "field": "event.occurred_at" }])
    );
    assert_eq!(bench.send(&json!([])).status, 422);
}

#[test]
fn an_event_that_its_schema_refuses_is_invalid() {
    let bench = Bench::new();
    let definition = json!({
        "targets": [{ "type": "team", "metadata": { "type": "object", "properties": { "size": { "type": "number" } } } }],
        "actor": { "metadata": { "type": "object", "properties": { "role": { "enum": ["admin"] } } } },
        "metadata": { "type": "object", "required": ["plan"] }
    });
    bench.register("team.updated", &definition);
    assert_eq!(bench.send(&event()).status, 200);

    let check = |paths: &[&str], body: &Value| {
        let errors: Vec<Value> = paths
            .iter()
            .map(|path| json!({ "instancePath": path }))
            .collect();
        let expected = json!({ "message": "Invalid Audit Log event.", "code": "invalid_audit_log_event", "errors": errors });
        let reply = bench.send(body);
        assert_eq!((reply.status, reply.body), (400, expected));
    };
    check(
        &["/targets"],
        &changed(|event| event["targets"] = json!([])),
    );
    check(
        &["/targets"],
        &changed(|event| event["targets"] = vec![event["targets"][0].clone(); 21].into()),
    );
    check(
        &["/targets/0/type"],
        &changed(|event| event["targets"][0]["type"] = json!("usr")),
    );
    check(
        &["/action"],
        &changed(|event| event["action"] = json!("team.udpated")),
    );
    check(&["/version"], &changed(|event| event["version"] = json!(2)));
    check(
        &["/actor/metadata/role"],
        &changed(|event| event["actor"]["metadata"]["role"] = json!("guest")),
    );
    check(
        &["/targets/0/metadata/size"],
        &changed(|event| event["targets"][0]["metadata"] = json!({ "size": "big" })),
    );
    check(
        &["/metadata"],
        &changed(|event| event["metadata"] = json!({})),
    );
    check(
        &["/metadata/note"],
        &changed(|event| event["metadata"]["note"] = json!("x".repeat(501))),
    );
    check(
        &["/metadata/note"],
        &changed(|event| event["metadata"]["note"] = json!(null)),
    );
    check(
        &["/version", "/actor/metadata/a", "/targets/0/metadata"],
        &changed(|event| {
            event["version"] = json!(9);
            event["actor"]["metadata"] = json!({ "a": [] });
            event["targets"][0]["metadata"] = json!({ "a.b": 1 });
        }),
    );
    let row = &bench
        .server
        .events_where(&EventFilter::new().action("team.udpated"))
        .unwrap()[0];
    assert_eq!(
        row.reasons(),
        ["/action: the action `team.udpated` is not registered; the nearest one is `team.updated`"]
    );
    assert_eq!(
        row.event()["action"],
        "team.udpated",
        "the refused event is kept too"
    );
}

#[test]
fn an_event_without_a_version_is_checked_against_the_first() {
    let bench = Bench::new();
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    bench.register("team.updated", &json!({ "targets": [{ "type": "user" }] }));
    let without = |event: &mut Value| {
        event.as_object_mut().unwrap().remove("version");
    };
    assert_eq!(bench.send(&changed(without)).status, 200);
    let for_the_newest = |version: Option<u32>| {
        changed(|event| {
            event["targets"][0]["type"] = json!("user");
            event["version"] = json!(version);
            if version.is_none() {
                without(event);
            }
        })
    };
    assert_eq!(bench.send(&for_the_newest(None)).status, 400);
    assert_eq!(bench.send(&for_the_newest(Some(2))).status, 200);
}

#[test]
fn a_repeated_key_gives_the_same_answer_and_one_row() {
    let bench = Bench::with_schema();
    let first = bench.send_with_key(&event(), "key-1");
    let other = changed(|event| event["actor"]["id"] = json!("somebody else"));
    let second = bench.send_with_key(&other, "key-1");
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let third = bench.send_with_key(&json!({}), "key-1");
    assert_eq!(
        third.status, 200,
        "the same key gives the same answer, whatever the body"
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
fn only_accepted_events_are_remembered() {
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
fn a_key_lives_for_24_hours() {
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
fn a_key_is_scoped_by_the_api_key() {
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
fn a_bad_idempotency_key_is_a_bad_request() {
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

#[test]
fn a_body_over_one_mebibyte_is_too_large() {
    let bench = Bench::with_schema();
    let padded = |bytes: usize| {
        let body = event().to_string();
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    let send = |body: String| {
        let request = bench
            .client
            .post(bench.url(EVENTS))
            .bearer_auth(bench.server.api_key());
        Reply::from(
            request
                .header("content-type", "application/json")
                .body(body)
                .send()
                .unwrap(),
        )
    };
    assert_eq!(send(padded(1_024 * 1_024)).status, 200);
    for bytes in [1_024 * 1_024 + 1, 8 * 1_024 * 1_024] {
        let reply = send(padded(bytes));
        assert_eq!(
            (reply.status, reply.body),
            (413, json!({ "message": "request entity too large" }))
        );
    }
    assert_eq!(bench.server.stats().unwrap().rejected(), 2);
}

#[test]
fn every_error_is_json_and_every_answer_has_a_request_id() {
    let bench = Bench::with_schema();
    let key = bench.server.api_key();
    let raw = |method: &str, path: &str, content_type: &str, body: &'static str| {
        let request = bench
            .client
            .request(method.parse().unwrap(), bench.url(path))
            .bearer_auth(key);
        Reply::from(
            request
                .header("content-type", content_type)
                .body(body)
                .send()
                .unwrap(),
        )
    };
    let cases = [
        (raw("GET", "/nowhere", "", ""), 404),
        (
            raw("POST", "/audit_logs/event", "application/json", "{}"),
            404,
        ),
        (raw("GET", EVENTS, "", ""), 405),
        (raw("DELETE", "/audit_logs/actions", "", ""), 405),
        (raw("POST", EVENTS, "text/plain", "{}"), 415),
        (raw("POST", EVENTS, "application/json", "{"), 400),
        (
            raw(
                "POST",
                "/audit_logs/actions/a/schemas",
                "application/json",
                "{",
            ),
            400,
        ),
        (
            raw(
                "POST",
                "/audit_logs/actions/%FF/schemas",
                "application/json",
                "{}",
            ),
            400,
        ),
        (
            raw("GET", "/audit_logs/actions?limit=1&limit=2", "", ""),
            422,
        ),
    ];
    for (reply, status) in &cases {
        assert_eq!(reply.status, *status, "{reply:?}");
        assert!(reply.body["message"].is_string(), "{reply:?}");
    }
    let mut ids: Vec<_> = cases
        .iter()
        .map(|(reply, _)| reply.request_id.clone().unwrap())
        .collect();
    ids.extend([
        bench.send(&event()).request_id.unwrap(),
        bench.get("/health").request_id.unwrap(),
    ]);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each answer has an id of its own");
    let echoed = bench
        .request(EVENTS, &event())
        .header("x-request-id", "mine")
        .send()
        .unwrap();
    assert_eq!(Reply::from(echoed).request_id.as_deref(), Some("mine"));
}

#[test]
fn an_unknown_route_names_the_nearest_and_is_not_taken_for_an_organization() {
    let bench = Bench::new();
    let reply = bench.post("/audit_logs/event", &json!({}));
    assert_eq!(
        reply.body["message"],
        "No route for POST /audit_logs/event. Did you mean POST /audit_logs/events?"
    );
    let reply = bench.get("/sso/connections");
    assert_eq!(reply.body["message"], "No route for GET /sso/connections.");
}

#[test]
fn a_wrong_method_says_which_are_allowed() {
    let bench = Bench::new();
    let response = bench.client.get(bench.url(EVENTS)).send().unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["allow"].to_str().unwrap()
        ),
        (405, "POST")
    );
}

/// Sends a request by hand, and gives back the status and the body.
fn by_hand(server: &LocalServer, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

#[test]
fn only_loopback_hosts_are_answered() {
    let server = LocalServer::start().unwrap();
    for host in ["localhost", "127.0.0.1:1", "[::1]:4100"] {
        assert_eq!(
            by_hand(&server, &format!("GET /health HTTP/1.1\r\nHost: {host}")).0,
            200,
            "{host}"
        );
    }
    for host in ["evil.example", "localhost.evil.example", ""] {
        let (status, body) = by_hand(
            &server,
            &format!("GET /_local/events HTTP/1.1\r\nHost: {host}"),
        );
        assert_eq!(status, 403, "{host}");
        assert!(body.starts_with(r#"{"message":"#), "{body}");
    }
    let absolute = "GET http://evil.example/health HTTP/1.1\r\nHost: localhost";
    assert_eq!(by_hand(&server, absolute).0, 403);
}

#[test]
fn a_remote_address_has_to_be_allowed_and_then_asks_for_the_key() {
    let everywhere = ([0, 0, 0, 0], 0);
    let error = LocalServer::builder()
        .listen(everywhere)
        .start()
        .unwrap_err();
    assert!(error.is_remote_refused(), "{error}");
    let server = LocalServer::builder()
        .listen(everywhere)
        .allow_remote(true)
        .start()
        .unwrap();
    let there = format!("127.0.0.1:{}", server.addr().port());
    let get = |head: &str| {
        let mut stream = TcpStream::connect(&there).unwrap();
        stream
            .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(get("GET /health HTTP/1.1\r\nHost: any.example"), "200");
    assert_eq!(
        get("GET /_local/stats HTTP/1.1\r\nHost: any.example"),
        "401"
    );
    assert_eq!(
        get(
            "GET /_local/stats HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer sk_test_local"
        ),
        "200"
    );
}
