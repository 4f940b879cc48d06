//! Behaviour common to all routes: the key, JSON errors, the request id, the body limit.

use serde_json::json;

use crate::support::{Bench, EVENTS, Reply, event};

#[test]
fn missing_or_wrong_key_is_unauthorized_on_every_route_of_the_service() {
    let bench = Bench::with_schema();
    let paths = [
        ("POST", EVENTS),
        ("GET", "/audit_logs/actions"),
        ("GET", "/audit_logs/actions/a/schemas"),
        ("POST", "/audit_logs/actions/a/schemas"),
        ("POST", "/audit_logs/exports"),
        ("GET", "/audit_logs/exports/a"),
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
    let rejected = bench.server.events().unwrap();
    assert_eq!(
        rejected.len(),
        2,
        "an event rejected for its key is recorded"
    );
    assert!(
        rejected
            .iter()
            .all(|row| row.http_status() == 401 && row.event_json().is_none())
    );
}

#[test]
fn body_over_one_mebibyte_is_too_large() {
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
fn every_error_is_json_and_every_response_has_a_request_id() {
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
    assert_eq!(ids.len(), count, "every response has its own id");
    let echoed = bench
        .request(EVENTS, &event())
        .header("x-request-id", "mine")
        .send()
        .unwrap();
    assert_eq!(Reply::from(echoed).request_id.as_deref(), Some("mine"));
}

#[test]
fn unknown_route_is_a_404_with_the_nearest_route() {
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
fn wrong_method_lists_the_allowed_ones() {
    let bench = Bench::new();
    for (path, allowed) in [
        (EVENTS, "POST"),
        ("/_local/faults", "GET,HEAD,POST,DELETE"),
        ("/_local/organizations", "GET,HEAD,POST"),
        ("/organizations/org_1/audit_logs_retention", "GET,HEAD,PUT"),
    ] {
        let request = bench.client.patch(bench.url(path));
        let response = request.send().unwrap();
        let allow = response.headers()["allow"].to_str().unwrap();
        assert_eq!((response.status().as_u16(), allow), (405, allowed));
    }
}
