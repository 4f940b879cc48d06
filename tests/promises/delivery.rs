//! Promise: an accepted event is delivered once, or kept with the reason, under every server fault.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_server::{EventFilter, EventStatus, LocalServer};
use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Event, Recorder, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{PATIENCE, client, event, register, server};

#[tokio::test]
async fn event_id_is_the_idempotency_key() {
    let server = server().await;
    let recorder = Recorder::builder(client(server.url())).build().unwrap();
    let event = event();
    let id = event.id().to_string();
    recorder.record(event).unwrap();
    assert_eq!(recorder.shutdown(PATIENCE).await.delivered, 1);

    let stored = server.events().unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].idempotency_key(), Some(id.as_str()));
    assert_eq!(
        (stored[0].action(), stored[0].organization_id()),
        (Some("document.delete"), Some("org_local"))
    );
}

#[tokio::test]
async fn rejected_event_becomes_a_dead_letter_with_the_reason() {
    let server = server().await;
    let recorder = Recorder::builder(client(server.url())).build().unwrap();
    let to = |organization: &str| {
        Event::builder("document.delete")
            .target(Target::new("document", 42))
            .organization(organization)
    };
    let unknown_action = Event::builder("document.burn")
        .target(Target::new("document", 42))
        .organization("org_local");
    let without_organization =
        Event::builder("document.delete").target(Target::new("document", 42));
    for event in [
        unknown_action,
        to("org_unknown"),
        without_organization,
        to("org_local"),
    ] {
        recorder.record(event.build().unwrap()).unwrap();
    }
    recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.dead), (1, 3));

    let mut reasons: Vec<_> = recorder
        .dead_letters()
        .iter()
        .map(|letter| letter.fault().to_string())
        .collect();
    reasons.sort();
    let begins = [
        "400 Bad Request: Invalid Audit Log event. at /action",
        "404 Not Found: Organization not found: 'org_unknown'.",
        "the event names no organization",
    ];
    for (reason, begin) in reasons.iter().zip(begins) {
        assert!(reason.starts_with(begin), "{reason}");
    }
    let unresolved = server
        .events_where(&EventFilter::new().status(EventStatus::Accepted))
        .unwrap();
    assert_eq!(
        unresolved[0].event()["actor"]["type"],
        "unresolved",
        "an event without an actor is kept"
    );
}

#[tokio::test]
async fn wrong_api_key_keeps_events_pending() {
    let server = server().await;
    let wrong = WorkOs::builder(ApiKey::new("sk_test_wrong").unwrap())
        .base_url(server.url())
        .build()
        .unwrap();
    let recorder = Recorder::builder(wrong).build().unwrap();
    recorder.record(event()).unwrap();
    let report = recorder.flush(Duration::from_millis(500)).await;
    assert_eq!((report.pending, report.dead), (1, 0));
}

#[tokio::test]
async fn events_recorded_before_the_server_starts_are_delivered() {
    // Until the server binds the port, connections to it are refused.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let recorder = Recorder::builder(client(&format!("http://{address}")))
        .build()
        .unwrap();
    for _ in 0..20 {
        recorder.record(event()).unwrap();
    }
    while recorder.stats().retried == 0 {
        recorder.flush(Duration::from_millis(10)).await;
    }
    let server = LocalServer::builder().listen(address).start().unwrap();
    register(&client(server.url())).await;
    let report = recorder.shutdown(PATIENCE).await;
    assert_eq!((report.lost, report.pending), (0, 0));
    let stats = recorder.stats();
    // The first events may have arrived before the action was registered.
    assert_eq!(stats.delivered + stats.dead, 20);
    assert_eq!(server.stats().unwrap().accepted(), stats.delivered);
}

#[tokio::test]
async fn lost_response_does_not_store_the_event_twice() {
    let server = server().await;
    let (proxy, cuts) = cutting_proxy(server.addr(), 3).await;
    let recorder = Recorder::builder(client(&format!("http://{proxy}")))
        .build()
        .unwrap();
    recorder.record(event()).unwrap();
    let report = recorder.shutdown(PATIENCE).await;
    assert_eq!(report.delivered, 1);
    assert_eq!(cuts.load(Ordering::SeqCst), 3, "three responses were lost");
    assert_eq!(server.events().unwrap().len(), 1);
    assert_eq!(server.stats().unwrap().duplicates(), 3);
}

/// Starts a proxy that forwards to the server and closes the connection in place of the first
/// `cuts` responses.
async fn cutting_proxy(server: SocketAddr, cuts: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cut = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&cut);
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(server).await.unwrap();
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let (mut near_read, mut near_write) = near.split();
                let (mut far_read, mut far_write) = far.split();
                let responses = async {
                    let mut buffer = vec![0; 64 * 1024];
                    loop {
                        let length = far_read.read(&mut buffer).await?;
                        if length == 0 || counter.load(Ordering::SeqCst) < cuts {
                            counter.fetch_add(usize::from(length > 0), Ordering::SeqCst);
                            return std::io::Result::Ok(());
                        }
                        near_write.write_all(&buffer[..length]).await?;
                    }
                };
                // The connection ends when either side does.
                tokio::select! {
                    _ = tokio::io::copy(&mut near_read, &mut far_write) => {}
                    _ = responses => {}
                }
            });
        }
    });
    (address, cut)
}
