//! The server's own routes, its thread and file, and its Rust API.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use audit_server::{Data, EventFilter, EventStatus, LocalServer};
use serde_json::json;

use crate::support::{Bench, changed, event};

#[test]
fn health_and_the_local_routes_need_no_key_on_loopback() {
    let bench = Bench::new();
    for path in [
        "/health",
        "/_local",
        "/_local/events",
        "/_local/organizations",
        "/_local/stats",
    ] {
        assert_eq!(
            bench.client.get(bench.url(path)).send().unwrap().status(),
            200,
            "{path}"
        );
    }
}

#[test]
fn organizations_are_added_once_and_then_accept_events() {
    let bench = Bench::with_schema();
    let reply = bench.post(
        "/_local/organizations",
        &json!({ "id": "org_2", "name": "Two" }),
    );
    assert_eq!(
        (reply.status, &reply.body["id"], &reply.body["name"]),
        (201, &json!("org_2"), &json!("Two"))
    );
    let again = bench.post(
        "/_local/organizations",
        &json!({ "id": "org_2", "name": "Other" }),
    );
    assert_eq!((again.status, &again.body), (200, &reply.body));
    let generated = bench.post("/_local/organizations", &json!({})).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut body = event();
    for id in ["org_2", &generated] {
        body["organization_id"] = json!(id);
        assert_eq!(bench.send(&body).status, 200, "{id}");
    }
    for bad in [json!({ "id": "2" }), json!({ "id": 2 }), json!([])] {
        assert_eq!(
            bench.post("/_local/organizations", &bad).status,
            422,
            "{bad}"
        );
    }
    let listed = bench.get("/_local/organizations").body;
    let ids: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|organization| organization["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["org_1", "org_2", generated.as_str()]);
    let known = bench.server.organizations().unwrap();
    assert_eq!(
        known
            .iter()
            .map(|organization| organization.id())
            .collect::<Vec<_>>(),
        ids
    );
}

#[test]
fn stored_events_are_listed_with_every_field() {
    let bench = Bench::with_schema();
    bench.send_with_key(&event(), "key-1");
    bench.send(&changed(|event| event["targets"] = json!([])));
    let list = bench.get("/_local/events").body;
    let [accepted, rejected] = list["data"].as_array().unwrap().as_slice() else {
        panic!("two rows, not {list}")
    };
    let expected = json!({
        "seq": 1, "received_at": accepted["received_at"], "idempotency_key": "key-1", "organization_id": "org_1",
        "action": "team.updated", "status": "accepted", "http_status": 200, "response": { "success": true }, "reasons": [],
        "event": event()["event"], "event_bytes": event()["event"].to_string().len(),
    });
    assert_eq!(accepted, &expected);
    assert_eq!(
        (
            &rejected["status"],
            &rejected["http_status"],
            &rejected["seq"]
        ),
        (&json!("rejected"), &json!(400), &json!(2))
    );
    assert_eq!(
        rejected["response"]["errors"],
        json!([{ "instancePath": "/targets" }])
    );
    assert_eq!(
        rejected["reasons"],
        json!(["/targets: there has to be at least one target"])
    );
    assert_eq!(rejected["event"]["targets"], json!([]));
    assert_eq!(
        bench.get("/_local/stats").body,
        json!({ "accepted": 1, "rejected": 1, "duplicates": 0 })
    );
}

#[test]
fn event_list_filters_and_pages() {
    let bench = Bench::with_schema();
    bench.register("team.deleted", &json!({ "targets": [{ "type": "team" }] }));
    bench.post("/_local/organizations", &json!({ "id": "org_2" }));
    for (organization, action) in [
        ("org_1", "team.updated"),
        ("org_2", "team.updated"),
        ("org_1", "team.deleted"),
        ("org_1", "nothing"),
    ] {
        let mut body = changed(|event| event["action"] = json!(action));
        body["organization_id"] = json!(organization);
        bench.send(&body);
    }
    let seqs = |query: &str| {
        let list = bench.get(&format!("/_local/events?{query}")).body;
        let seqs: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["seq"].as_u64().unwrap())
            .collect();
        (
            seqs,
            list["list_metadata"]["after"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(seqs("organization=org_2"), (vec![2], None));
    assert_eq!(seqs("action=team.updated"), (vec![1, 2], None));
    assert_eq!(seqs("status=rejected"), (vec![4], None));
    assert_eq!(
        seqs("organization=org_1&status=accepted"),
        (vec![1, 3], None)
    );
    assert_eq!(seqs("limit=2"), (vec![1, 2], Some("2".to_owned())));
    assert_eq!(seqs("limit=2&after=2"), (vec![3, 4], None));
    for bad in ["limit=0", "limit=1001", "status=lost", "after=x"] {
        assert_eq!(
            bench.get(&format!("/_local/events?{bad}")).status,
            422,
            "{bad}"
        );
    }
}

#[test]
fn large_rejected_event_is_measured_and_not_kept() {
    let bench = Bench::with_schema();
    let large = changed(|event| event["metadata"]["note"] = json!("x".repeat(70_000)));
    assert_eq!(bench.send(&large).status, 400);
    let row = &bench.server.events().unwrap()[0];
    assert_eq!(
        (row.event_json(), row.event_bytes()),
        (None, large["event"].to_string().len() as u64)
    );
    assert_eq!(row.action(), Some("team.updated"));
}

#[test]
fn subscriber_receives_accepted_and_rejected_events_in_order() {
    let bench = Bench::with_schema();
    let subscription = bench.server.subscribe();
    bench.send_with_key(&event(), "key-1");
    bench.send_with_key(&event(), "key-1");
    bench.send(&json!({}));
    let received = [(); 2].map(|()| subscription.recv_timeout(Duration::from_secs(10)).unwrap());
    assert_eq!(
        received
            .each_ref()
            .map(|event| (event.seq(), event.status())),
        [(1, EventStatus::Accepted), (2, EventStatus::Rejected)]
    );
    let stats = bench.server.shutdown().unwrap();
    assert_eq!(
        (stats.accepted(), stats.rejected(), stats.duplicates()),
        (1, 1, 1)
    );
    assert!(
        subscription.recv().is_none(),
        "the duplicate is not an event, and the server has stopped"
    );
}

#[test]
fn restart_on_a_file_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::File(folder.path().join("audit.db"));
    let start = || {
        Bench::with(
            LocalServer::builder()
                .organization("org_1")
                .data(data.clone()),
        )
    };
    let bench = start();
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    bench.send_with_key(&event(), "key-1");
    bench.send(&json!({}));
    bench.server.shutdown().unwrap();
    assert!(
        !folder.path().join("audit.db-wal").exists(),
        "a clean stop leaves one file"
    );
    let bytes = std::fs::read(folder.path().join("audit.db")).unwrap();
    assert!(
        !bytes.windows(13).any(|window| window == b"sk_test_local"),
        "the API key is not written to disk"
    );

    let bench = start();
    let rows = bench.server.events().unwrap();
    assert_eq!(
        rows.iter().map(|row| row.status()).collect::<Vec<_>>(),
        [EventStatus::Accepted, EventStatus::Rejected]
    );
    assert_eq!(bench.send_with_key(&event(), "key-1").status, 200);
    assert_eq!(
        bench.send(&event()).status,
        200,
        "the schema is still there"
    );
    assert_eq!(
        bench
            .server
            .events_where(&EventFilter::new().after(2))
            .unwrap()[0]
            .seq(),
        3
    );
    let stats = bench.server.stats().unwrap();
    assert_eq!(
        (stats.accepted(), stats.rejected(), stats.duplicates()),
        (2, 1, 1)
    );
}

#[test]
fn port_in_use_is_reported() {
    let server = LocalServer::start().unwrap();
    let error = LocalServer::builder()
        .listen(server.addr())
        .start()
        .unwrap_err();
    assert!(error.is_address_in_use());
    assert_eq!(error.addr(), Some(server.addr()));
}

#[test]
fn invalid_configuration_is_rejected() {
    assert!(
        LocalServer::builder()
            .api_key("pk_1")
            .start()
            .unwrap_err()
            .is_configuration()
    );
    assert!(
        LocalServer::builder()
            .organization("acme")
            .start()
            .unwrap_err()
            .is_configuration()
    );
    let nowhere = Data::File("/nowhere/at/all/audit.db".into());
    assert!(
        LocalServer::builder()
            .data(nowhere)
            .start()
            .unwrap_err()
            .is_data()
    );
}

#[test]
fn unfinished_request_does_not_block_the_shutdown() {
    let server = LocalServer::start().unwrap();
    let idle = TcpStream::connect(server.addr()).unwrap();
    let mut stuck = TcpStream::connect(server.addr()).unwrap();
    let head = "POST /audit_logs/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    stuck.write_all(head.as_bytes()).unwrap();
    // The server sends 100 Continue once its handler waits for the body: from here on a request is
    // in progress.
    let mut interim = [0; 12];
    stuck.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");
    let started = Instant::now();
    drop(server);
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    drop(idle);
}

#[tokio::test]
async fn server_starts_and_stops_inside_an_async_test() {
    let server = LocalServer::start().unwrap();
    let stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    drop(stream);
    assert!(server.events().unwrap().is_empty());
    server.shutdown().unwrap();
}
