//! Events as they are stored: the stream of server-sent events, and waiting for one.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use audit_server::{EventFilter, EventStatus};
use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::support::{Bench, changed, event};

/// The events of a stream: their names and data.
struct Stream(BufReader<Response>);

impl Stream {
    fn open(bench: &Bench, path: &str, last: Option<u64>) -> Self {
        let mut request = bench.client.get(bench.url(path));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(BufReader::new(response))
    }

    /// Returns the next event; `None` at the end of the stream.
    fn next(&mut self) -> Option<(String, Value)> {
        let (mut name, mut data) = (String::new(), None);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end_matches('\n');
            if let Some(text) = line.strip_prefix("event: ") {
                name = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(text).unwrap());
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                return Some((name, data));
            }
        }
    }

    fn seq(&mut self) -> u64 {
        let (name, data) = self.next().unwrap();
        assert_eq!(name, "stored", "{data}");
        data["seq"].as_u64().unwrap()
    }
}

#[test]
fn stream_has_new_accepted_and_rejected_events() {
    let bench = Bench::with_schema();
    bench.send(&event());
    let mut stream = Stream::open(&bench, "/_local/stream", None);
    bench.send(&event());
    bench.send(&changed(|event| event["action"] = json!("team.udpated")));
    assert_eq!(stream.seq(), 2, "only new events");
    let (name, row) = stream.next().unwrap();
    assert_eq!(
        (name.as_str(), &row["status"]),
        ("stored", &json!("rejected"))
    );
    assert_eq!(
        row["reasons"],
        json!([
            "/action: the action `team.udpated` is not registered; the nearest one is `team.updated`"
        ])
    );
}

#[test]
fn stream_filters_and_resumes_where_it_ended() {
    let bench = Bench::with_schema();
    bench.post("/_local/organizations", &json!({ "id": "org_2" }));
    let mut elsewhere = event();
    elsewhere["organization_id"] = json!("org_2");
    for body in [&event(), &elsewhere, &event(), &json!({}), &elsewhere] {
        bench.send(body);
    }
    let seqs = |path: &str, last, count| {
        let mut stream = Stream::open(&bench, path, last);
        (0..count).map(|_| stream.seq()).collect::<Vec<_>>()
    };
    let all = "/_local/stream?after=0";
    assert_eq!(seqs(all, None, 5), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(all, Some(3), 2), [4, 5]);
    let of = "/_local/stream?after=0&organization=org_2&action=team.updated&status=accepted";
    assert_eq!(seqs(of, None, 2), [2, 5]);
    assert_eq!(seqs("/_local/stream?after=0&status=rejected", None, 1), [4]);
}

#[test]
fn reader_that_is_far_behind_gets_the_number_of_missed_events() {
    let bench = Bench::with_schema();
    for _ in 0..1_007 {
        bench.send(&event());
    }
    let mut stream = Stream::open(&bench, "/_local/stream?after=2", None);
    let missed = ("missed".to_owned(), json!({ "count": 5 }));
    assert_eq!(stream.next().unwrap(), missed);
    for seq in 8..=1_007 {
        assert_eq!(stream.seq(), seq);
    }
    bench.send(&event());
    assert_eq!(stream.seq(), 1_008);
}

#[test]
fn line_breaks_inside_an_event_do_not_break_the_stream() {
    let bench = Bench::with_schema();
    let body = serde_json::to_string_pretty(&event()).unwrap();
    let request = bench.request("/audit_logs/events", &json!({}));
    let sent = request.body(body.replace('\n', "\r\n")).send().unwrap();
    assert_eq!(sent.status(), 200);
    let mut stream = Stream::open(&bench, "/_local/stream?after=0", None);
    assert_eq!(stream.next().unwrap().1["event"], event()["event"]);
}

#[test]
fn shutdown_ends_streams() {
    let bench = Bench::with_schema();
    let mut stream = Stream::open(&bench, "/_local/stream", None);
    bench.server.shutdown().unwrap();
    // A stream that was aborted at the end of the grace period would end in an error.
    assert!(stream.next().is_none());
}

#[test]
fn wait_for_finds_stored_and_new_events() {
    let bench = Bench::with_schema();
    bench.send(&json!({}));
    bench.send(&event());
    let reply = bench.get("/_local/wait-for?action=team.updated");
    assert_eq!((reply.status, &reply.body["seq"]), (200, &json!(2)));
    let reply = bench.get("/_local/wait-for?status=rejected&organization=&timeout=5s");
    assert_eq!((reply.status, &reply.body["seq"]), (200, &json!(1)));
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| bench.get("/_local/wait-for?after=2&organization=org_1&timeout=30"));
        bench.send(&json!({}));
        bench.send(&event());
        let reply = waiting.join().unwrap();
        assert_eq!((reply.status, &reply.body["seq"]), (200, &json!(4)));
    });
}

#[test]
fn wait_for_times_out_with_a_408_and_rejects_invalid_parameters() {
    let bench = Bench::with_schema();
    let reply = bench.get("/_local/wait-for?action=nothing&timeout=20ms");
    let expected = json!({ "message": "No matching event within 20ms.", "code": "timeout" });
    assert_eq!((reply.status, reply.body), (408, expected));
    for bad in ["timeout=61", "timeout=x", "status=lost"] {
        let reply = bench.get(&format!("/_local/wait-for?{bad}"));
        assert_eq!(reply.status, 422, "{bad}");
    }
}

#[test]
fn rust_api_waits_for_an_event() {
    let bench = Bench::with_schema();
    let rejected = EventFilter::new().status(EventStatus::Rejected);
    let none = bench.server.wait_for(&rejected, Duration::from_millis(20));
    assert!(none.unwrap().is_none());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bench.server.wait_for(&rejected, Duration::from_secs(30)));
        bench.send(&event());
        bench.send(&json!({}));
        let found = waiting.join().unwrap().unwrap().unwrap();
        assert_eq!(found.seq(), 2);
    });
}
