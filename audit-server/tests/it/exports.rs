//! Exports: the states, the link, the filters and the file.

use std::time::Duration;

use audit_server::{Data, LocalServer, ManualClock};
use serde_json::{Value, json};

use crate::support::{Bench, Reply, changed};

const EXPORTS: &str = "/audit_logs/exports";
const MINUTE: Duration = Duration::from_secs(60);

/// A server with a manual clock, and the actions `team.updated` and `team.deleted`.
fn bench() -> (Bench, ManualClock) {
    let clock = ManualClock::starting_now();
    let bench = Bench::with(
        LocalServer::builder()
            .organization("org_1")
            .organization("org_2")
            .clock(clock.clone())
            .export_delay(MINUTE),
    );
    for action in ["team.updated", "team.deleted"] {
        bench.register(
            action,
            &json!({ "targets": [{ "type": "team" }, { "type": "user" }] }),
        );
    }
    (bench, clock)
}

/// February 2026 of `org_1`.
fn february() -> Value {
    json!({ "organization_id": "org_1", "range_start": "2026-02-01T00:00:00.000Z", "range_end": "2026-03-01T00:00:00.000Z" })
}

/// Creates an export and returns its file, as lines.
fn file(bench: &Bench, clock: &ManualClock, body: &Value) -> Vec<String> {
    let reply = bench.post(EXPORTS, body);
    assert_eq!(reply.status, 201, "{reply:?}");
    clock.advance(MINUTE);
    let export = bench
        .get(&format!("{EXPORTS}/{}", reply.body["id"].as_str().unwrap()))
        .body;
    let (status, text) = download(bench, export["url"].as_str().unwrap());
    assert_eq!(status, 200, "{text}");
    text.split_terminator("\r\n").map(str::to_owned).collect()
}

fn download(bench: &Bench, url: &str) -> (u16, String) {
    let response = bench.client.get(url).send().unwrap();
    (response.status().as_u16(), response.text().unwrap())
}

#[test]
fn export_is_pending_then_ready_and_expires() {
    let (bench, clock) = bench();
    let created = bench.post(EXPORTS, &february());
    assert_eq!(created.status, 201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("audit_log_export_"), "{id}");
    let pending = json!({
        "object": "audit_log_export", "id": id, "state": "pending",
        "created_at": created.body["created_at"], "updated_at": created.body["created_at"],
    });
    assert_eq!(created.body, pending);
    let get = || bench.get(&format!("{EXPORTS}/{id}"));
    assert_eq!((get().status, get().body), (200, pending));
    clock.advance(MINUTE);
    let ready = get().body;
    assert_eq!(ready["state"], "ready");
    assert!(ready["updated_at"].as_str() > ready["created_at"].as_str());
    let url = ready["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(bench.server.url()), "{url}");
    assert_eq!(download(&bench, &url).0, 200);
    clock.advance(MINUTE * 60 * 24);
    let expired = get().body;
    assert_eq!(
        (&expired["state"], expired.get("url")),
        (&json!("expired"), None)
    );
}

#[test]
fn link_expires_after_ten_minutes_and_a_refetch_renews_it() {
    let (bench, clock) = bench();
    let id = bench.post(EXPORTS, &february()).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    clock.advance(MINUTE);
    let url = || {
        bench.get(&format!("{EXPORTS}/{id}")).body["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = url();
    clock.advance(MINUTE * 10 - Duration::from_millis(1));
    assert_eq!(download(&bench, &first).0, 200);
    clock.advance(Duration::from_millis(1));
    let (status, text) = download(&bench, &first);
    assert_eq!(status, 403);
    assert!(text.contains("fetch the export again"), "{text}");
    assert_eq!(download(&bench, &url()).0, 200);
}

#[test]
fn only_the_signature_opens_a_file() {
    let (bench, clock) = bench();
    let new = || {
        bench.post(EXPORTS, &february()).body["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (id, other) = (new(), new());
    clock.advance(MINUTE);
    let export = bench.get(&format!("{EXPORTS}/{id}")).body;
    let url = export["url"].as_str().unwrap();
    let (_, query) = url.split_once('?').unwrap();
    let (expires, signature) = query.split_once("&signature=").unwrap();
    let later = format!(
        "expires={}",
        expires["expires=".len()..].parse::<u64>().unwrap() + 1
    );
    for path in [
        format!("/exports/{id}.csv"),
        format!("/exports/{id}.csv?{expires}"),
        format!("/exports/{id}.csv?{expires}&signature="),
        format!("/exports/{id}.csv?{later}&signature={signature}"),
        format!("/exports/{other}.csv?{query}"),
        format!("/exports/{id}?{query}"),
        format!("/exports/..%2F{id}.csv?{query}"),
        format!("/exports/%00.csv?{query}"),
        format!("/exports/%FF.csv?{query}"),
        format!("/exports/{id}.csv?{query}&signature={signature}"),
    ] {
        // Sent with the API key, which grants no access here.
        let reply = bench.get(&path);
        assert_eq!(reply.status, 403, "{path}");
    }
    assert_eq!(download(&bench, url).0, 200);
}

#[test]
fn unknown_export_is_not_found_whatever_its_id() {
    let bench = Bench::new();
    for (path, id) in [
        ("audit_log_export_1", "audit_log_export_1"),
        ("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
        ("%27%20OR%201=1", "' OR 1=1"),
    ] {
        let reply = bench.get(&format!("{EXPORTS}/{path}"));
        let message = format!("Audit Log Export not found: '{id}'.");
        assert_eq!(
            (reply.status, reply.body),
            (404, json!({ "message": message }))
        );
    }
}

#[test]
fn invalid_range_and_unknown_organization_are_bad_requests() {
    let bench = Bench::new();
    let mut body = february();
    for end in ["2026-02-01T00:00:00.000Z", "2026-01-31T23:59:59.999Z"] {
        body["range_end"] = json!(end);
        let reply = bench.post(EXPORTS, &body);
        let expected = json!({ "message": "Invalid date range", "code": "invalid_audit_log_export_range_date" });
        assert_eq!((reply.status, reply.body), (400, expected));
    }
    let mut body = february();
    body["organization_id"] = json!("org_unknown");
    let reply = bench.post(EXPORTS, &body);
    let expected = json!({ "message": "Organization not found: 'org_unknown'." });
    assert_eq!((reply.status, reply.body), (400, expected));
}

#[test]
fn malformed_body_gets_a_list_of_mistakes() {
    let bench = Bench::new();
    let mut body = february();
    body["actions"] = json!("team.updated");
    body["range_end"] = json!("tomorrow");
    let reply = bench.post(EXPORTS, &body);
    assert_eq!(
        (reply.status, &reply.body["error"]),
        (400, &json!("Bad Request"))
    );
    assert_eq!(
        reply.body["message"],
        json!([
            "range_end must be a date-time in UTC with Z, such as 2026-02-02T16:35:39.317Z",
            "actions must be an array of strings"
        ])
    );
    let reply = bench.post(EXPORTS, &json!([]));
    assert_eq!(reply.body["message"].as_array().unwrap().len(), 3);
}

/// Returns an event with this action, actor, target type and time.
fn event_at(action: &str, actor: &str, target: &str, at: &str) -> Value {
    changed(|event| {
        event["action"] = json!(action);
        event["actor"]["name"] = json!(actor);
        event["actor"]["id"] = json!(format!("id of {actor}"));
        event["targets"][0]["type"] = json!(target);
        event["occurred_at"] = json!(at);
    })
}

#[test]
fn file_has_the_accepted_events_of_the_range_in_order() {
    let (bench, clock) = bench();
    for at in [
        "2026-02-28T23:59:59.999Z",
        "2026-02-01T00:00:00Z",
        "2026-03-01T00:00:00Z",
        "2026-01-31T23:59:59.999Z",
        "2026-02-10T00:00:00.0005Z",
    ] {
        assert_eq!(
            bench
                .send(&event_at("team.updated", "Jo", "team", at))
                .status,
            200
        );
    }
    bench.send(&event_at(
        "team.unknown",
        "Jo",
        "team",
        "2026-02-10T00:00:00Z",
    ));
    let mut elsewhere = event_at("team.updated", "Jo", "team", "2026-02-10T00:00:00Z");
    elsewhere["organization_id"] = json!("org_2");
    assert_eq!(bench.send(&elsewhere).status, 200);
    let lines = file(&bench, &clock, &february());
    assert_eq!(
        lines[0],
        "occurred_at,action,version,actor_id,actor_type,actor_name,actor_metadata,targets,location,user_agent,metadata"
    );
    assert_eq!(
        lines[1],
        concat!(
            r#"2026-02-01T00:00:00Z,team.updated,1,id of Jo,user,Jo,"{""role"":""admin""}","#,
            r#""[{""id"":""team_1"",""name"":""Core"",""type"":""team""}]",203.0.113.7,Chrome/104.0.0.0,"#,
            r#""{""plan"":""enterprise"",""seats"":12,""trial"":false}""#
        )
    );
    let times: Vec<_> = lines[2..]
        .iter()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(
        times,
        ["2026-02-10T00:00:00.0005Z", "2026-02-28T23:59:59.999Z"]
    );
}

#[test]
fn filters_are_all_of_between_kinds_and_any_of_within_one() {
    let (bench, clock) = bench();
    for (action, actor, target) in [
        ("team.updated", "Jo", "team"),
        ("team.updated", "Al", "user"),
        ("team.deleted", "Jo", "user"),
        ("team.deleted", "Al", "team"),
    ] {
        bench.send(&event_at(action, actor, target, "2026-02-10T00:00:00Z"));
    }
    let found = |filters: Value| {
        let mut body = february();
        for (kind, texts) in filters.as_object().unwrap() {
            body[kind] = texts.clone();
        }
        file(&bench, &clock, &body)[1..]
            .iter()
            .map(|line| {
                let cells: Vec<_> = line.split(',').collect();
                format!("{} {}", cells[1], cells[5])
            })
            .collect::<Vec<_>>()
    };
    let updated = ["team.updated Jo", "team.updated Al"];
    assert_eq!(
        found(json!({ "actions": ["team.updated", "nothing"] })),
        updated
    );
    assert_eq!(
        found(json!({ "actions": [], "actor_names": ["Jo", "Al"] })).len(),
        4
    );
    let jo = ["team.updated Jo", "team.deleted Jo"];
    assert_eq!(found(json!({ "actor_names": ["Jo"] })), jo);
    assert_eq!(found(json!({ "actors": ["Jo"] })), jo);
    assert_eq!(found(json!({ "actor_ids": ["id of Jo"] })), jo);
    assert_eq!(
        found(json!({ "actor_ids": ["id of Jo"], "targets": ["user"] })),
        ["team.deleted Jo"]
    );
    assert_eq!(found(json!({ "actions": ["team.*"] })), [""; 0]);
}

#[test]
fn formula_becomes_text() {
    let (bench, clock) = bench();
    let name = "=HYPERLINK(\"http://evil.example\")";
    bench.send(&event_at(
        "team.updated",
        name,
        "team",
        "2026-02-10T00:00:00Z",
    ));
    let lines = file(&bench, &clock, &february());
    assert!(
        lines[1].contains(r#","'=HYPERLINK(""http://evil.example"")","#),
        "{}",
        lines[1]
    );
}

#[test]
fn file_longer_than_a_page_is_complete_and_has_its_headers() {
    let (bench, clock) = bench();
    for index in 0..1_100 {
        let actor = format!("{index}");
        bench.send(&event_at(
            "team.updated",
            &actor,
            "team",
            "2026-02-10T00:00:00Z",
        ));
    }
    let id = bench.post(EXPORTS, &february()).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.send(&event_at(
        "team.updated",
        "late",
        "team",
        "2026-02-10T00:00:00Z",
    ));
    clock.advance(MINUTE);
    let export = bench.get(&format!("{EXPORTS}/{id}")).body;
    let response = bench
        .client
        .get(export["url"].as_str().unwrap())
        .send()
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        header("content-disposition"),
        format!("attachment; filename=\"{id}.csv\"")
    );
    assert!(response.headers().contains_key("x-request-id"));
    let text = response.text().unwrap();
    let actors: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(5).unwrap())
        .collect();
    assert_eq!(
        actors,
        (0..1_100)
            .map(|index| index.to_string())
            .collect::<Vec<_>>()
    );
}

#[test]
fn export_survives_a_restart_and_its_links_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        Bench::with(
            LocalServer::builder()
                .organization("org_1")
                .data(Data::File(folder.path().join("audit.db")))
                .export_delay(Duration::ZERO),
        )
    };
    let bench = start();
    let id = bench.post(EXPORTS, &february()).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let get = |bench: &Bench| -> Reply { bench.get(&format!("{EXPORTS}/{id}")) };
    let url = get(&bench).body["url"].as_str().unwrap().to_owned();
    let (_, rest) = url.split_once("/exports/").unwrap();
    bench.server.shutdown().unwrap();
    let bench = start();
    assert_eq!(bench.get(&format!("/exports/{rest}")).status, 403);
    assert_eq!(get(&bench).body["state"], "ready");
}
