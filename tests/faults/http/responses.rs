//! Responses of the service, good and bad.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::assert_balanced;
use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{HealthState, RateLimit, Recorder};
use futures_util::future::join_all;

use crate::server::{Reply, SUCCESS, Server};

use super::support::{
    PATIENCE, all_delivered, by_key, client, event, health, key, record, recorder,
};

#[tokio::test]
async fn fault_29_reset_before_the_response_is_retried_immediately_with_the_same_key() {
    for (name, broken) in [("reset", Reply::reset()), ("closed", Reply::close())] {
        let server = Server::start(move |number, _| match number % 2 {
            0 => broken.clone(),
            _ => Reply::success(),
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
        // The median backoff would be a quarter of a second.
        waits.sort();
        assert!(waits[5] < Duration::from_millis(100), "{name}: {waits:?}");
    }
}

#[tokio::test]
async fn fault_29_stale_connection_costs_one_retry_and_no_event() {
    let server = Server::start(|number, _| match number {
        1 => Reply::reset(),
        _ => Reply::success(),
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
        "the second event used the connection of the first"
    );
    assert_eq!(journal[1].key(), journal[2].key());
    assert_eq!(by_key(journal).len(), 3);
}

#[tokio::test]
async fn fault_29_connection_closed_while_idle_loses_no_event() {
    let server = Server::start(|_, _| Reply::success().then_close()).await;
    let recorder = recorder(client(server.url()));
    for id in 0..20 {
        recorder.record(event(id)).unwrap();
        recorder.flush(PATIENCE).await;
    }
    all_delivered(&recorder).await;
    assert_eq!(by_key(server.journal()).len(), 20);
}

#[tokio::test]
async fn fault_30_truncated_response_is_retried_with_the_same_key() {
    let response = || Reply::new(200, SUCCESS);
    for (name, broken) in [
        ("no byte of the body", response().cut_after(0)),
        ("half of the body", response().cut_after(8)),
        ("all but one byte", response().cut_after(SUCCESS.len() - 1)),
        ("reset in the body", response().reset_after(8)),
    ] {
        let server = Server::replying([broken]).await;
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
async fn fault_31_unsuccessful_response_becomes_a_dead_letter_without_retry() {
    let server = Server::replying([Reply::new(200, r#"{"success":false}"#)]).await;
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

/// Asserts that this response to three events pauses delivery and makes health unhealthy, and that
/// every event is delivered afterwards.
async fn pauses_delivery(name: &str, reply: Reply) {
    let server = Server::replying([reply.clone(), reply.clone(), reply]).await;
    let client = client(server.url()).build().unwrap();
    // One attempt at a time, so that only these responses precede the pause.
    let recorder = Recorder::builder(client).concurrency(1).build().unwrap();
    record(&recorder, 3);
    let found = health(&recorder, |health| health.state == HealthState::Unhealthy).await;
    let reason = found.reason.unwrap();
    assert!(
        reason.starts_with("delivery is paused until the configuration is fixed"),
        "{name}: {reason}"
    );
    while recorder.stats().retried < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stats = recorder.stats();
    assert_eq!(
        (stats.pending, stats.dead, stats.delivered),
        (3, 0, 0),
        "{name}"
    );
    assert_eq!(server.journal().len(), 3, "{name}: all events wait");
    assert_balanced(&recorder);

    all_delivered(&recorder).await;
    let journal = server.journal();
    assert_eq!(journal.len(), 6, "{name}");
    assert!(journal[3].at - journal[2].at > Duration::from_secs(4));
}

#[tokio::test]
async fn fault_31_foreign_response_is_not_a_delivery() {
    let portal = "<html>Please log in</html>";
    let cases = [
        ("HTML", Reply::new(200, portal)),
        ("empty", Reply::new(200, "")),
        ("no content", Reply::new(204, "")),
        ("JSON of another service", Reply::new(200, r#"{"ok":true}"#)),
        ("truncated JSON", Reply::new(200, r#"{"success":true"#)),
    ];
    join_all(cases.map(|(name, reply)| pauses_delivery(name, reply))).await;
}

#[tokio::test]
async fn fault_31_redirect_is_not_followed() {
    let target = Server::replying([]).await;
    let location = format!("{}/audit_logs/events", target.url());
    let cases = ["301", "302", "303", "307", "308"].map(|status| {
        let reply = Reply::new(status.parse().unwrap(), "").header("location", &location);
        pauses_delivery(status, reply)
    });
    join_all(cases).await;
    assert!(
        target.journal().is_empty(),
        "the target never sees a request"
    );
}

#[tokio::test]
async fn fault_26_wrong_address_pauses_delivery_without_dead_letters() {
    let cases = [
        ("bare 404", Reply::new(404, "")),
        ("404 of a web server", Reply::new(404, "<h1>Not Found</h1>")),
        (
            "404 of another API",
            Reply::new(404, r#"{"message":"Not Found"}"#),
        ),
        ("400 of a proxy", Reply::new(400, "<h1>Bad Request</h1>")),
        ("405", Reply::new(405, "")),
    ];
    join_all(cases.map(|(name, reply)| pauses_delivery(name, reply))).await;
}

/// Asserts that this status pauses delivery until the key source returns a new key.
async fn resumes_after_key_rotation(status: u16) {
    let server = Server::start(move |_, request| match request.header("authorization") {
        "Bearer sk_new" => Reply::success(),
        _ => Reply::new(status, r#"{"message":"Unauthorized"}"#),
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
    let found = health(&recorder, |health| health.state == HealthState::Unhealthy).await;
    assert!(found.reason.unwrap().contains(&status.to_string()));
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
    // The old key is retried by a single event, once per pause.
    let refused = attempts
        .iter()
        .map(|of_one| of_one.len() - 1)
        .sum::<usize>();
    assert!((2..=4).contains(&refused), "{status}: {refused} refusals");
}

#[tokio::test]
async fn fault_26_unauthorized_key_pauses_delivery_until_it_is_rotated() {
    join_all([
        resumes_after_key_rotation(401),
        resumes_after_key_rotation(403),
    ])
    .await;
}
