//! The content of requests: keys, bodies, times, sizes, and no secrets elsewhere.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use audit_server::LocalServer;
use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{
    Actor, Context, Event, Fault, MemorySink, RateLimit, Recorder, Sink, Target, WorkOs,
};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::support::{PATIENCE, all_delivered, by_key, client, event, key, record, recorder};
use crate::server::{Reply, SUCCESS, Server};

/// Captures everything logged in this thread, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Returns the client's fault for a 429 with these headers.
async fn limited(headers: &[(&str, &str)]) -> Fault {
    let busy = Reply::new(429, r#"{"message":"Too many requests"}"#);
    let busy = headers
        .iter()
        .fold(busy, |reply, (name, value)| reply.header(name, value));
    let server = Server::replying([busy]).await;
    let client = client(server.url()).build().unwrap();
    client.deliver(&event(1)).await.unwrap_err()
}

/// Returns the pause after a fault, measured under a virtual clock.
fn pause(fault: Fault) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let sink = FaultSink::new(MemorySink::new()).fault_times(1, fault);
        let recorder = Recorder::builder(sink.clone()).build_in_runtime().unwrap();
        let begin = tokio::time::Instant::now();
        record(&recorder, 1);
        assert_eq!(
            recorder.flush(Duration::from_secs(3_600)).await.delivered,
            1
        );
        let waited = begin.elapsed();
        assert_eq!(sink.attempts().len(), 2);
        all_delivered(&recorder).await;
        waited
    })
}

#[test]
fn fault_21_retry_after_is_read_by_the_servers_clock_and_capped() {
    // The header's value, and the bounds of the pause in seconds: up to 10 % jitter is added.
    let by_date = [("date", DATE)];
    let cases = [
        ("7", (7.0, 8.0)),
        ("Sun, 06 Nov 1994 08:50:07 GMT", (30.0, 34.0)),
        ("Sat, 06 Nov 1999 08:49:37 GMT", (300.0, 331.0)),
        ("1000000000", (300.0, 331.0)),
        // No wait at all, and invalid values: the client's own backoff applies.
        ("0", (0.9, 3.0)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", (0.9, 3.0)),
        ("", (0.9, 3.0)),
        ("-5", (0.9, 3.0)),
        ("soon", (0.9, 3.0)),
        ("99999999999999999999999999", (0.9, 3.0)),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let check = |fault, (least, most): (f64, f64), name: &str| {
        let waited = pause(fault).as_secs_f64();
        assert!((least..most).contains(&waited), "{name}: {waited} s");
    };
    for (value, bounds) in cases {
        let headers = [by_date[0], ("retry-after", value)];
        check(runtime.block_on(limited(&headers)), bounds, value);
    }
    check(runtime.block_on(limited(&[])), (0.9, 3.0), "bare");
}

#[tokio::test]
async fn fault_21_retry_after_date_pauses_all_and_one_event_probes_first() {
    let busy = Reply::new(429, r#"{"message":"Too many requests"}"#)
        .header("date", DATE)
        .header("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT");
    let server = Server::replying([busy]).await;
    let client = client(server.url()).build().unwrap();
    let recorder = Recorder::builder(client).concurrency(1).build().unwrap();
    record(&recorder, 10);
    all_delivered(&recorder).await;
    let journal = server.journal();
    assert_eq!(journal.len(), 11);
    assert!(journal[1].at - journal[0].at >= Duration::from_secs(2));
    // Another event than the one that met the limit.
    assert_ne!(journal[0].key(), journal[1].key());
}

#[tokio::test]
async fn fault_32_every_attempt_has_the_same_key_and_body() {
    let message = r#"{"message":"x"}"#;
    let server = Server::replying([
        Reply::new(503, message),
        Reply::reset(),
        Reply::new(200, SUCCESS).cut_after(4),
        Reply::new(408, message),
        Reply::new(429, message).header("retry-after", "0"),
        Reply::new(500, "<html>"),
    ])
    .await;
    let recorder = recorder(client(server.url()));
    record(&recorder, 1);
    all_delivered(&recorder).await;
    let attempts = by_key(server.journal());
    assert_eq!((attempts.len(), attempts[0].len()), (1, 7));
    for request in &attempts[0] {
        assert_eq!(request.body, attempts[0][0].body);
    }
    assert_eq!(recorder.stats().retried, 6);
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is on the wire is compared with the machine's own clock"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn fault_34_event_has_its_recording_time_and_clock_skew_is_logged() {
    let (log, _guard) = Log::capture();
    let server = Server::replying([
        Reply::new(503, r#"{"message":"x"}"#).header("date", DATE),
        Reply::success().header("date", DATE),
    ])
    .await;
    let client = client(server.url()).build().unwrap();
    // In this thread, so that its log lines are captured.
    let recorder = Recorder::builder(client).build_in_runtime().unwrap();
    let before = wall_clock() - Duration::from_millis(1);
    record(&recorder, 1);
    let after = wall_clock();
    all_delivered(&recorder).await;

    let journal = server.journal();
    assert_eq!(journal.len(), 2);
    for request in &journal {
        let at = request.json()["event"]["occurred_at"]
            .as_str()
            .map(humantime::parse_rfc3339)
            .unwrap()
            .unwrap();
        assert!((before..=after).contains(&at), "{at:?}");
    }
    let log = log.text();
    let lines = log.lines().filter(|line| line.contains("clock"));
    assert_eq!(lines.count(), 1, "one line for several responses: {log}");
}

#[tokio::test]
async fn fault_34_synchronized_clock_is_not_logged() {
    let (log, _guard) = Log::capture();
    let server = Server::start(|_, _| {
        Reply::success().header("date", &httpdate::fmt_http_date(wall_clock()))
    })
    .await;
    let client = client(server.url()).build().unwrap();
    let recorder = Recorder::builder(client).build_in_runtime().unwrap();
    record(&recorder, 1);
    all_delivered(&recorder).await;
    assert!(!log.text().contains("clock"), "{}", log.text());
}

/// Creates an event with more and longer values than the limits allow.
fn oversize(chars: usize, letter: char, keys: usize, targets: usize) -> Event {
    let long = letter.to_string().repeat(chars);
    let keyed = |index: usize| format!("key_{index}");
    let mut builder = Event::builder("document.import")
        .organization("org_local")
        .context(
            Context::new()
                .location(&*long)
                .user_agent(&*long)
                .request_id(&*long),
        );
    let mut actor = Actor::user(&*long).name(&*long);
    for index in 0..keys {
        builder = builder.metadata(&keyed(index), &*long);
        actor = actor.metadata(&keyed(index), &*long);
    }
    for index in 0..targets {
        let mut target = Target::new("document", index).name(&*long);
        for index in 0..keys {
            target = target.metadata(&keyed(index), &*long);
        }
        builder = builder.target(target);
    }
    builder.actor(actor).build().unwrap()
}

#[tokio::test]
async fn fault_36_oversize_events_are_truncated_and_accepted() {
    let local = LocalServer::start().unwrap();
    let workos = WorkOs::builder(key(local.api_key()))
        .base_url(local.url())
        .rate_limit(RateLimit::unlimited())
        .build()
        .unwrap();
    let schema = json!({"targets": [{"type": "document"}]});
    workos
        .create_schema("document.import", &schema)
        .await
        .unwrap();
    let wire = Server::replying([]).await;
    let copies = recorder(client(wire.url()));
    let recorder = Recorder::builder(workos).copy_to(&copies).build().unwrap();

    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    let letters = prop_oneof![Just('a'), Just('"'), Just('ä'), Just('🔑'), Just('\u{1}')];
    let sizes = (0_usize..3_000, letters, 0_usize..=40, 1_usize..=20);
    runner
        .run(&sizes, |(chars, letter, keys, targets)| {
            recorder
                .record(oversize(chars, letter, keys, targets))
                .unwrap();
            Ok(())
        })
        .unwrap();
    recorder.record(oversize(3_000, '🔑', 40, 20)).unwrap();
    recorder.record(oversize(500, 'a', 1, 1)).unwrap();
    all_delivered(&recorder).await;
    all_delivered(&copies).await;

    let stored = local.events().unwrap();
    assert_eq!(stored.len(), 50);
    assert!(
        stored
            .iter()
            .all(|event| event.http_status() == 201 || event.http_status() == 200)
    );
    let mut journal = wire.journal();
    assert_eq!(journal.len(), 50);
    journal.sort_by_key(|request| request.body.len());
    assert!(
        journal[49].body.len() <= 60_000,
        "{}",
        journal[49].body.len()
    );
    assert!(
        journal[49].body.len() > 20_000,
        "the events come near the limit"
    );
    let mut truncated = 0;
    for request in &journal {
        let event = request.json()["event"].clone();
        let location = event["context"]["location"].as_str().unwrap();
        assert!(location.chars().count() <= 500);
        truncated += u64::from(event["metadata"]["truncated"].is_string());
    }
    assert!(truncated > 0 && recorder.stats().truncated > 0);
    assert!(
        truncated >= recorder.stats().truncated,
        "every truncated event is marked"
    );
    assert!(
        recorder.stats().truncated < 50,
        "events within the limits are not truncated"
    );
}

const SECRET: &str = "sk_canary_key";
const CONTENT: &str = "canary_content";

/// A response made from the received key and body.
type Echo = fn(&[u8]) -> Reply;

/// Sends one event to a server with this first response. Returns every text that the library
/// produced: `Debug`, reports, health, dead letters.
async fn outputs(first: Echo, is_dead: bool) -> Vec<String> {
    // The server echoes the request, as a debugging proxy does.
    let server = Server::start(move |number, request| {
        let sent = request.header("authorization").as_bytes();
        match number {
            0 | 1 => first(&[sent, &request.body].concat()),
            _ => Reply::success(),
        }
    })
    .await;
    let client = WorkOs::builder(key(SECRET))
        .base_url(server.url())
        .rate_limit(RateLimit::unlimited());
    let mut outputs = vec![format!("{client:?} {:?}", key(SECRET))];
    let client = client.key_source(|| Some(key(SECRET))).build().unwrap();
    outputs.push(format!("{client:?}"));
    let builder = Recorder::builder(client);
    outputs.push(format!("{builder:?}"));
    // In this thread, so that its log lines are captured.
    let recorder = builder.build_in_runtime().unwrap();
    let event = Event::builder("document.delete")
        .organization("org_local")
        .actor(Actor::user(CONTENT).name(CONTENT))
        .target(Target::new("document", CONTENT).name(CONTENT))
        .metadata("title", CONTENT)
        .context(Context::new().location(CONTENT).user_agent(CONTENT))
        .build()
        .unwrap();
    outputs.push(format!("{event:?}"));
    recorder.record(event).unwrap();
    // Health is read after a failed attempt, and at the end.
    while recorder.health().reason.is_none() && recorder.stats().pending > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let report = recorder.flush(Duration::ZERO).await;
    outputs.push(format!("{report:?} {recorder:?} {:?}", recorder.health()));
    let report = recorder.shutdown(PATIENCE).await;
    outputs.push(format!("{report:?} {:?}", recorder.health()));
    for letter in recorder.dead_letters() {
        outputs.push(format!("{letter:?} {}", letter.fault()));
    }
    let stats = recorder.stats();
    let expected = (u64::from(is_dead), u64::from(!is_dead));
    assert_eq!((stats.dead, stats.delivered), expected);
    assert_balanced(&recorder);
    for request in server.journal() {
        assert!(request.header("authorization").contains(SECRET));
        assert!(request.json().to_string().contains(CONTENT));
    }
    outputs
}

#[tokio::test]
async fn fault_37_api_key_and_event_content_are_not_disclosed() {
    let (log, _guard) = Log::capture();
    let cases: [(Echo, bool); 9] = [
        (|_| Reply::reset(), false),
        (|_| Reply::new(200, SUCCESS).cut_after(4), false),
        (|echo| Reply::new(200, echo), false),
        (|echo| Reply::new(503, echo), false),
        (
            |echo| Reply::new(429, echo).header("retry-after", "1"),
            false,
        ),
        (|echo| Reply::new(401, echo), false),
        (|echo| Reply::new(404, echo), false),
        (|echo| Reply::new(413, echo), true),
        (|_| Reply::new(400, r#"{"message":"Invalid"}"#), true),
    ];
    let mut all = join_all(cases.map(|(first, is_dead)| outputs(first, is_dead)))
        .await
        .concat();
    let joined = all.concat();
    let log = log.text();
    for status in ["401", "404", "413", "400"] {
        let reported = joined.contains(status) && log.contains(status);
        assert!(reported, "{status} is not reported: {joined} {log}");
    }
    all.push(log);
    for text in all {
        assert!(!text.contains("canary"), "{text}");
    }
}
