//! `POST /audit_logs/events`: each documented status and body.

use audit_server::{EventFilter, EventStatus};
use serde_json::{Value, json};

use crate::support::{Bench, changed, event};

#[test]
fn event_of_a_registered_action_is_stored_as_it_was_sent() {
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
fn unknown_organization_is_not_found() {
    let bench = Bench::with_schema();
    let mut body = event();
    body["organization_id"] = json!("org_unknown");
    let reply = bench.send(&body);
    assert_eq!(
        (reply.status, reply.body),
        (
            404,
            json!({ "message": "Organization not found: 'org_unknown'." })
        )
    );
}

#[test]
fn malformed_event_is_unprocessable() {
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
fn event_that_violates_its_schema_is_a_bad_request() {
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
        "the rejected event is kept too"
    );
}

#[test]
fn event_without_a_version_is_checked_against_the_first() {
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
