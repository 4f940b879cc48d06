//! Retention and configuration of an organization.

use std::time::{Duration, SystemTime};

use audit_server::{LocalServer, ManualClock};
use serde_json::{Value, json};

use crate::support::{Bench, Reply, changed};

const RETENTION: &str = "/organizations/org_1/audit_logs_retention";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// 2026-03-01T00:00:00Z, the start time of the clocks.
fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_323_200)
}

fn bench() -> (Bench, ManualClock) {
    let clock = ManualClock::new(start());
    let builder = LocalServer::builder()
        .organization("org_1")
        .organization("org_2");
    let bench = Bench::with(builder.clock(clock.clone()));
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    (bench, clock)
}

fn put(bench: &Bench, path: &str, body: &Value) -> Reply {
    let request = bench.client.put(bench.url(path));
    let request = request
        .bearer_auth(bench.server.api_key())
        .header("content-type", "application/json");
    Reply::from(request.body(body.to_string()).send().unwrap())
}

#[test]
fn retention_period_is_null_until_it_is_set() {
    let (bench, _) = bench();
    let days = || bench.get(RETENTION).body;
    assert_eq!(days(), json!({ "retention_period_in_days": null }));
    for (body, expected) in [
        (json!({ "retention_period": "3_MONTHS" }), 90),
        (json!({ "retention_period_in_days": 365 }), 365),
        (json!({ "retention_period": "7_YEARS" }), 2_555),
    ] {
        let reply = put(&bench, RETENTION, &body);
        let expected = json!({ "retention_period_in_days": expected });
        assert_eq!((reply.status, &reply.body), (200, &expected));
        assert_eq!(days(), expected);
    }
    assert_eq!(
        bench.get("/organizations/org_2/audit_logs_retention").body,
        json!({ "retention_period_in_days": null })
    );
}

#[test]
fn unknown_period_is_unprocessable_and_changes_nothing() {
    let (bench, _) = bench();
    for body in [
        json!({}),
        json!({ "retention_days": 90 }),
        json!({ "retention_period": "90_DAYS" }),
        json!({ "retention_period_in_days": 91 }),
        json!({ "retention_period": "1_YEAR", "retention_period_in_days": 365 }),
    ] {
        let reply = put(&bench, RETENTION, &body);
        assert_eq!(reply.status, 422, "{body}");
        assert!(reply.body["message"].is_string(), "{reply:?}");
    }
    assert_eq!(
        bench.get(RETENTION).body["retention_period_in_days"],
        json!(null)
    );
}

#[test]
fn unknown_organization_has_neither_retention_nor_configuration() {
    let (bench, _) = bench();
    let expected = json!({ "message": "Organization not found: 'org_unknown'." });
    let retention = "/organizations/org_unknown/audit_logs_retention";
    for reply in [
        bench.get(retention),
        put(&bench, retention, &json!({ "retention_period": "1_YEAR" })),
        bench.get("/organizations/org_unknown/audit_log_configuration"),
    ] {
        assert_eq!((reply.status, &reply.body), (404, &expected));
    }
}

#[test]
fn configuration_shows_the_period_and_no_stream() {
    let (bench, _) = bench();
    let path = "/organizations/org_1/audit_log_configuration";
    let expected = |days: Value| json!({ "organization_id": "org_1", "retention_period_in_days": days, "state": "active" });
    // The longest period represents no period, since the official SDKs accept no null here.
    assert_eq!(bench.get(path).body, expected(json!(3_650)));
    put(&bench, RETENTION, &json!({ "retention_period": "1_MONTH" }));
    let reply = bench.get(path);
    assert_eq!((reply.status, reply.body), (200, expected(json!(30))));
}

/// Sends one event of the present time, and one to the other organization.
fn send(bench: &Bench) {
    for organization in ["org_1", "org_2"] {
        let mut body = changed(|event| event["occurred_at"] = json!("2026-03-01T00:00:00.000Z"));
        body["organization_id"] = json!(organization);
        assert_eq!(bench.send(&body).status, 200);
    }
}

fn organizations_with_events(bench: &Bench) -> Vec<String> {
    let events = bench.server.events().unwrap();
    events
        .iter()
        .map(|row| row.organization_id().unwrap().to_owned())
        .collect()
}

#[test]
fn event_is_deleted_once_its_period_has_passed() {
    let (bench, clock) = bench();
    put(&bench, RETENTION, &json!({ "retention_period": "1_MONTH" }));
    send(&bench);
    clock.set(start() + DAY * 30);
    assert_eq!(organizations_with_events(&bench), ["org_1", "org_2"]);
    clock.advance(Duration::from_millis(1));
    assert_eq!(organizations_with_events(&bench), ["org_2"]);
    // Deleted, not merely hidden.
    clock.set(start());
    assert_eq!(organizations_with_events(&bench), ["org_2"]);
    assert_eq!(bench.server.stats().unwrap().accepted(), 2);
}

#[test]
fn shorter_period_deletes_immediately() {
    let (bench, clock) = bench();
    send(&bench);
    clock.set(start() + DAY * 31);
    put(&bench, RETENTION, &json!({ "retention_period": "1_MONTH" }));
    clock.set(start());
    assert_eq!(organizations_with_events(&bench), ["org_2"]);
}

#[test]
fn download_has_no_expired_event() {
    let (bench, clock) = bench();
    put(&bench, RETENTION, &json!({ "retention_period": "1_MONTH" }));
    send(&bench);
    clock.set(start() + DAY * 30 - Duration::from_secs(60));
    let body = json!({ "organization_id": "org_1", "range_start": "2026-01-01T00:00:00Z", "range_end": "2027-01-01T00:00:00Z" });
    let id = bench.post("/audit_logs/exports", &body).body["id"].clone();
    clock.advance(Duration::from_secs(30));
    let export = bench.get(&format!("/audit_logs/exports/{}", id.as_str().unwrap()));
    let lines = || {
        let url = export.body["url"].as_str().unwrap();
        bench
            .client
            .get(url)
            .send()
            .unwrap()
            .text()
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!(lines(), 2);
    clock.advance(Duration::from_secs(31));
    assert_eq!(lines(), 1, "the header alone");
}
