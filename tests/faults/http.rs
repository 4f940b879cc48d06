//! What the wire and the service can do to a delivery, through the real client over real sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::assert_balanced;
use audit_tower::workos::{ApiKey, WorkOs, WorkOsBuilder};
use audit_tower::{Actor, Event, Health, HealthState, RateLimit, Recorder, Target};
use futures_util::future::join_all;

use crate::server::{Answer, Request, SUCCESS, Server};

mod content;
mod network;

/// Long enough for anything on this machine; a test that needs it whole has failed.
const PATIENCE: Duration = Duration::from_secs(30);

fn key(text: &str) -> ApiKey {
    ApiKey::new(text).unwrap()
}

fn client(url: impl Into<String>) -> WorkOsBuilder {
    WorkOs::builder(key("sk_test_local"))
        .base_url(url)
        .rate_limit(RateLimit::unlimited())
}

fn recorder(client: WorkOsBuilder) -> Recorder {
    Recorder::builder(client.build().unwrap()).build().unwrap()
}

fn event(id: usize) -> Event {
    Event::builder("document.delete")
        .organization("org_local")
        .actor(Actor::user("u1"))
        .target(Target::new("document", id))
        .build()
        .unwrap()
}

fn record(recorder: &Recorder, events: usize) {
    for id in 0..events {
        recorder.record(event(id)).unwrap();
    }
}

/// Delivery fares as `is` says, now or soon.
async fn health(recorder: &Recorder, is: impl Fn(&Health) -> bool) -> Health {
    let look = async {
        loop {
            let health = recorder.health();
            if is(&health) {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, look).await;
    found.unwrap_or_else(|_| panic!("health stays {:?}", recorder.health()))
}

/// Everything that was recorded reaches the server, and the ledger says so.
async fn all_delivered(recorder: &Recorder) {
    recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    assert_eq!(
        (stats.delivered, stats.dead, stats.lost),
        (stats.accepted, 0, 0),
        "{stats:?}"
    );
    assert_balanced(recorder);
}

/// The requests of each key, in the order of the first ones.
fn by_key(journal: Vec<Request>) -> Vec<Vec<Request>> {
    let mut keys: Vec<Vec<Request>> = Vec::new();
    for request in journal {
        assert_eq!(
            (&*request.method, &*request.path),
            ("POST", "/audit_logs/events")
        );
        match keys.iter_mut().find(|same| same[0].key() == request.key()) {
            Some(same) => same.push(request),
            None => keys.push(vec![request]),
        }
    }
    keys
}

#[tokio::test]
async fn fault_29_a_reset_before_the_answer_is_repeated_at_once_with_the_same_key() {
    for (name, broken) in [("reset", Answer::reset()), ("closed", Answer::close())] {
        let server = Server::start(move |number, _| match number % 2 {
            0 => broken.clone(),
            _ => Answer::success(),
        })
        .await;
        let recorder = recorder(client(server.url()));
        for id in 0..11 {
            recorder.record(event(id)).unwrap();
            assert_eq!(recorder.flush(PATIENCE).await.pending, 0, "{name}");
        }
        all_delivered(&recorder).await;

        let attempts = by_key(server.journal());
        assert_eq!(attempts.len(), 11, "{name}");
        let mut waits = Vec::new();
        for of_one in &attempts {
            assert_eq!(of_one.len(), 2, "{name}");
            assert_eq!(of_one[0].body, of_one[1].body, "{name}");
            assert_ne!(of_one[0].connection, of_one[1].connection, "{name}");
            waits.push(of_one[1].at - of_one[0].at);
        }
        // A back-off would be a quarter of a second in the middle.
        waits.sort();
        assert!(waits[5] < Duration::from_millis(100), "{name}: {waits:?}");
    }
}

#[tokio::test]
async fn fault_29_a_connection_that_went_stale_costs_one_repetition_and_no_event() {
    let server = Server::start(|number, _| match number {
        1 => Answer::reset(),
        _ => Answer::success(),
    })
    .await;
    let recorder = recorder(client(server.url()));
    for id in 0..3 {
        recorder.record(event(id)).unwrap();
        recorder.flush(PATIENCE).await;
    }
    all_delivered(&recorder).await;

    let journal = server.journal();
    let connections: Vec<_> = journal.iter().map(|request| request.connection).collect();
    assert_eq!(
        connections,
        [0, 0, 1, 1],
        "the second event came over the first one's connection"
    );
    assert_eq!(journal[1].key(), journal[2].key());
    assert_eq!(by_key(journal).len(), 3);
}

#[tokio::test]
async fn fault_29_a_connection_that_the_server_closes_while_idle_loses_no_event() {
    let server = Server::start(|_, _| Answer::success().then_close()).await;
    let recorder = recorder(client(server.url()));
    for id in 0..20 {
        recorder.record(event(id)).unwrap();
        recorder.flush(PATIENCE).await;
    }
    all_delivered(&recorder).await;
    assert_eq!(by_key(server.journal()).len(), 20);
}

#[tokio::test]
async fn fault_30_an_answer_that_breaks_off_is_no_delivery_and_the_same_key_is_sent_again() {
    let head = || Answer::new(200, SUCCESS);
    for (name, broken) in [
        ("no byte of the body", head().cut_after(0)),
        ("half of the body", head().cut_after(8)),
        ("all but one byte", head().cut_after(SUCCESS.len() - 1)),
        ("reset in the body", head().reset_after(8)),
    ] {
        let server = Server::answering([broken]).await;
        let recorder = recorder(client(server.url()));
        record(&recorder, 1);
        all_delivered(&recorder).await;
        let journal = server.journal();
        assert_eq!(journal.len(), 2, "{name}");
        assert_eq!(journal[0].key(), journal[1].key(), "{name}");
        assert_eq!(journal[0].body, journal[1].body, "{name}");
        assert_eq!(recorder.stats().retried, 1, "{name}");
    }
}

#[tokio::test]
async fn fault_31_an_answer_that_denies_success_makes_a_dead_letter_at_once() {
    let server = Server::answering([Answer::new(200, r#"{"success":false}"#)]).await;
    let recorder = recorder(client(server.url()));
    record(&recorder, 1);
    assert_eq!(recorder.flush(PATIENCE).await.pending, 0);
    record(&recorder, 1);
    recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    assert_eq!((stats.dead, stats.delivered, stats.retried), (1, 1, 0));
    let letters = recorder.dead_letters();
    assert_eq!(letters[0].id().to_string(), server.journal()[0].key());
    assert!(letters[0].fault().to_string().contains("did not succeed"));
    assert_balanced(&recorder);
}

/// The first answer pauses everything and turns health red; later ones succeed, and nothing was
/// lost meanwhile.
async fn pauses(name: &str, answer: Answer) {
    let server = Server::answering([answer]).await;
    let client = client(server.url()).build().unwrap();
    // One attempt at a time, so that the first answer is the only one before the pause.
    let recorder = Recorder::builder(client).concurrency(1).build().unwrap();
    record(&recorder, 3);
    let told = health(&recorder, |health| health.state == HealthState::Unhealthy).await;
    let reason = told.reason.unwrap();
    assert!(
        reason.starts_with("delivery waits until this is mended"),
        "{name}: {reason}"
    );
    let stats = recorder.stats();
    assert_eq!(
        (stats.pending, stats.dead, stats.delivered),
        (3, 0, 0),
        "{name}"
    );
    assert_eq!(server.journal().len(), 1, "{name}: everything waits");
    assert_balanced(&recorder);

    all_delivered(&recorder).await;
    let journal = server.journal();
    assert_eq!(journal.len(), 4, "{name}");
    assert_eq!(journal[0].key(), journal[1].key(), "{name}");
    assert!(journal[1].at - journal[0].at > Duration::from_secs(4));
}

#[tokio::test]
async fn fault_31_an_answer_that_is_not_the_services_is_no_delivery() {
    let portal = "<html>Please log in</html>";
    let cases = [
        ("HTML", Answer::new(200, portal)),
        ("empty", Answer::new(200, "")),
        ("no content", Answer::new(204, "")),
        ("JSON of somebody else", Answer::new(200, r#"{"ok":true}"#)),
        ("half a JSON", Answer::new(200, r#"{"success":true"#)),
    ];
    join_all(cases.map(|(name, answer)| pauses(name, answer))).await;
}

#[tokio::test]
async fn fault_31_a_redirect_is_not_followed_with_the_key() {
    let target = Server::answering([]).await;
    let location = format!("{}/audit_logs/events", target.url());
    let cases = ["301", "302", "303", "307", "308"].map(|status| {
        let answer = Answer::new(status.parse().unwrap(), "").header("location", &location);
        pauses(status, answer)
    });
    join_all(cases).await;
    assert!(
        target.journal().is_empty(),
        "the target never sees a request"
    );
}

#[tokio::test]
async fn fault_26_a_wrong_address_pauses_and_makes_no_dead_letter() {
    let cases = [
        ("bare 404", Answer::new(404, "")),
        (
            "404 of a web server",
            Answer::new(404, "<h1>Not Found</h1>"),
        ),
        (
            "404 of another API",
            Answer::new(404, r#"{"message":"Not Found"}"#),
        ),
        ("400 of a proxy", Answer::new(400, "<h1>Bad Request</h1>")),
        ("405", Answer::new(405, "")),
    ];
    join_all(cases.map(|(name, answer)| pauses(name, answer))).await;
}

async fn rotates(status: u16) {
    let server = Server::start(move |_, request| match request.header("authorization") {
        "Bearer sk_new" => Answer::success(),
        _ => Answer::new(status, r#"{"message":"Unauthorized"}"#),
    })
    .await;
    let kept = Arc::new(Mutex::new("sk_old"));
    let read = Arc::clone(&kept);
    let client = WorkOs::builder(key("sk_old"))
        .base_url(server.url())
        .rate_limit(RateLimit::unlimited())
        .key_source(move || ApiKey::new(*read.lock().unwrap()).ok());
    let recorder = recorder(client);
    record(&recorder, 3);
    let told = health(&recorder, |health| health.state == HealthState::Unhealthy).await;
    assert!(told.reason.unwrap().contains(&status.to_string()));
    let stats = recorder.stats();
    assert_eq!((stats.pending, stats.dead), (3, 0), "{status}");

    *kept.lock().unwrap() = "sk_new";
    all_delivered(&recorder).await;
    assert_eq!(recorder.health().state, HealthState::Healthy, "{status}");
    let attempts = by_key(server.journal());
    assert_eq!(attempts.len(), 3);
    for of_one in &attempts {
        let last = of_one.last().unwrap();
        assert_eq!(last.header("authorization"), "Bearer sk_new");
    }
    // The old key is tried again by one event alone, once in a pause.
    let refused = attempts
        .iter()
        .map(|of_one| of_one.len() - 1)
        .sum::<usize>();
    assert!((2..=4).contains(&refused), "{status}: {refused} refusals");
}

#[tokio::test]
async fn fault_26_a_refused_key_pauses_all_until_the_next_one_is_read() {
    join_all([rotates(401), rotates(403)]).await;
}
