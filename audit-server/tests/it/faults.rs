//! Faults on demand and the rate limit.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use audit_server::{Fault, LocalServer, ManualClock, SERVICE_RATE_LIMIT};
use serde_json::{Value, json};

use crate::support::{Bench, EVENTS, Reply, event};

fn inject(bench: &Bench, fault: &Value) -> Reply {
    bench.post("/_local/faults", fault)
}

#[test]
fn status_fault_applies_its_times_and_stores_nothing() {
    let bench = Bench::with_schema();
    bench
        .server
        .inject(Fault::status(503).times(2).on("POST", EVENTS));
    assert_eq!(bench.get("/audit_logs/actions").status, 200);
    let statuses = [(); 3].map(|()| bench.send(&event()).status);
    assert_eq!(statuses, [503, 503, 200]);
    let stats = bench.server.stats().unwrap();
    assert_eq!((stats.accepted(), stats.rejected()), (1, 0));
    assert!(bench.server.faults().is_empty());
}

#[test]
fn status_429_has_the_documented_body_and_the_given_retry_after() {
    let bench = Bench::with_schema();
    for (given, sent) in [
        (json!(7), "7"),
        (
            json!("Wed, 21 Oct 2026 07:28:00 GMT"),
            "Wed, 21 Oct 2026 07:28:00 GMT",
        ),
    ] {
        let reply = inject(&bench, &json!({ "status": 429, "retry_after": given }));
        assert_eq!(reply.status, 201, "{reply:?}");
        let response = bench.request(EVENTS, &event()).send().unwrap();
        assert_eq!(response.headers()["retry-after"], sent);
        let reply = Reply::from(response);
        let body = json!({ "message": "Too many requests.", "code": "rate_limit_exceeded" });
        assert_eq!((reply.status, reply.body), (429, body));
        assert!(reply.request_id.is_some());
    }
}

#[test]
fn latency_fault_delays_and_then_handles_the_request() {
    let bench = Bench::with_schema();
    inject(&bench, &json!({ "delay_ms": 150 }));
    let started = Instant::now();
    assert_eq!(bench.send(&event()).status, 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

/// Sends a raw event over its own connection, and reads until the connection ends.
fn send_raw(bench: &Bench) -> (Vec<u8>, Option<ErrorKind>) {
    let body = event().to_string();
    let mut stream = TcpStream::connect(bench.server.addr()).unwrap();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        bench.server.api_key(),
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
    let mut received = Vec::new();
    let error = stream.read_to_end(&mut received).err();
    (received, error.map(|error| error.kind()))
}

#[test]
fn reset_fault_resets_the_connection_and_stores_nothing() {
    let bench = Bench::with_schema();
    bench.server.inject(Fault::reset());
    let (received, error) = send_raw(&bench);
    assert_eq!(
        (received.len(), error),
        (0, Some(ErrorKind::ConnectionReset))
    );
    assert!(bench.server.events().unwrap().is_empty());
}

#[test]
fn cut_response_was_handled_anyway() {
    let bench = Bench::with_schema();
    for (bytes, stored) in [(0, 1), (30, 2)] {
        bench.server.inject(Fault::cut_after(bytes));
        let (received, error) = send_raw(&bench);
        assert_eq!(
            (received.len(), error),
            (usize::try_from(bytes).unwrap(), None)
        );
        assert!(b"HTTP/1.1 200 OK".starts_with(&received[..received.len().min(15)]));
        assert_eq!(bench.server.events().unwrap().len(), stored);
    }
    assert_eq!(bench.send(&event()).status, 200, "the server goes on");
}

#[test]
fn export_can_be_made_to_fail() {
    let bench = Bench::with(
        LocalServer::builder()
            .organization("org_1")
            .export_delay(Duration::ZERO),
    );
    inject(&bench, &json!({ "export_error": true }));
    let body = json!({ "organization_id": "org_1", "range_start": "2026-01-01T00:00:00Z", "range_end": "2026-02-01T00:00:00Z" });
    let state = || {
        let id = bench.post("/audit_logs/exports", &body).body["id"].clone();
        let export = bench.get(&format!("/audit_logs/exports/{}", id.as_str().unwrap()));
        (
            export.body["state"].clone(),
            export.body.get("url").is_some(),
        )
    };
    assert_eq!(state(), (json!("error"), false));
    assert_eq!(state(), (json!("ready"), true));
}

#[test]
fn faults_are_listed_with_their_remaining_times_and_cleared() {
    let bench = Bench::with_schema();
    let fault = json!({ "status": 500, "retry_after": "3", "times": 2, "delay_ms": 1, "method": "POST", "path": "/audit_logs/*" });
    assert_eq!(inject(&bench, &fault).body, fault);
    inject(&bench, &json!({ "cut_after": 9 }));
    bench.send(&event());
    let mut left = fault;
    left["times"] = json!(1);
    let list = bench.get("/_local/faults").body;
    assert_eq!(list["data"], json!([left, { "cut_after": 9, "times": 1 }]));
    let cleared = bench.client.delete(bench.url("/_local/faults")).send();
    assert_eq!(Reply::from(cleared.unwrap()).body, json!({ "cleared": 2 }));
    assert_eq!(bench.send(&event()).status, 200);
}

#[test]
fn invalid_fault_is_rejected_with_the_reason() {
    let bench = Bench::new();
    for (fault, part) in [
        (json!({}), "exactly one"),
        (json!([1]), "Invalid fault"),
        (json!({ "status": 500, "reset": true }), "exactly one"),
        (json!({ "status": 100 }), "200 to 599"),
        (json!({ "status": 700 }), "200 to 599"),
        (json!({ "reset": true, "retry_after": 1 }), "needs a status"),
        (json!({ "status": 429, "retry_after": "a\nb" }), "header"),
        (json!({ "delay_ms": 600_001 }), "at most"),
        (json!({ "stauts": 500 }), "stauts"),
    ] {
        let reply = inject(&bench, &fault);
        assert_eq!(reply.status, 422, "{fault}");
        let message = reply.body["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn own_routes_are_never_affected_by_faults() {
    let bench = Bench::new();
    bench.server.inject(Fault::status(500));
    assert_eq!(bench.get("/_local/stats").status, 200);
    assert_eq!(bench.get("/_local/faults").status, 200);
    assert_eq!(bench.get("/health").status, 500);
}

#[test]
fn rate_limit_counts_each_key_separately() {
    let clock = ManualClock::starting_now();
    let (_, per) = SERVICE_RATE_LIMIT;
    let bench = Bench::with(
        LocalServer::builder()
            .api_key("sk_one")
            .api_key("sk_two")
            .clock(clock.clone())
            .rate_limit(3, per),
    );
    let get = |key: &str| {
        let request = bench.client.get(bench.url("/audit_logs/actions"));
        request.bearer_auth(key).send().unwrap()
    };
    for _ in 0..3 {
        assert_eq!(get("sk_one").status(), 200);
    }
    clock.advance(Duration::from_millis(500));
    let limited = get("sk_one");
    assert_eq!(limited.headers()["retry-after"], "60");
    let limited = Reply::from(limited);
    let body = json!({ "message": "Too many requests.", "code": "rate_limit_exceeded" });
    assert_eq!((limited.status, limited.body), (429, body));
    assert_eq!(get("sk_two").status(), 200);
    assert_eq!(get("sk_unknown").status(), 401);
    assert_eq!(bench.get("/_local/stats").status, 200, "not counted");
    clock.advance(Duration::from_millis(59_500));
    assert_eq!(get("sk_one").status(), 200);
}
