//! The portal: a short-lived link to the viewer of one organization.

use std::time::Duration;

use audit_server::{LocalServer, ManualClock};
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::support::{Bench, Reply, event};

const LINK: &str = "/portal/generate_link";

fn bench() -> (Bench, ManualClock) {
    let clock = ManualClock::starting_now();
    let builder = LocalServer::builder()
        .organization("org_1")
        .organization("org_2");
    let mut bench = Bench::with(builder.clock(clock.clone()));
    bench.client = Client::builder().redirect(Policy::none()).build().unwrap();
    bench.register("team.updated", &json!({ "targets": [{ "type": "team" }] }));
    (bench, clock)
}

fn link(bench: &Bench) -> String {
    let body = json!({ "organization": "org_1", "intent": "audit_logs" });
    let reply = bench.post(LINK, &body);
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body["link"].as_str().unwrap().to_owned()
}

/// Opens a link as a browser does, without a key, and returns the cookie.
fn open(bench: &Bench, link: &str) -> String {
    let response = bench.client.get(link).send().unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/portal");
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    for attribute in [
        "; Path=/portal;",
        "; HttpOnly;",
        "; SameSite=Lax;",
        "; Max-Age=3600",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

fn get(bench: &Bench, path: &str, cookie: &str) -> Response {
    let request = bench.client.get(bench.url(path));
    request.header("cookie", cookie).send().unwrap()
}

#[test]
fn link_shows_only_the_events_of_its_organization() {
    let (bench, _) = bench();
    let mut elsewhere = event();
    elsewhere["organization_id"] = json!("org_2");
    for body in [&event(), &elsewhere, &event()] {
        assert_eq!(bench.send(body).status, 200);
    }
    let link = link(&bench);
    assert!(link.starts_with(bench.server.url()), "{link}");
    let cookie = format!("other=1; {}", open(&bench, &link));
    let page = get(&bench, "/portal", &cookie).text().unwrap();
    assert!(
        page.contains(r#"data-api="/portal" data-organization="org_1""#),
        "{page}"
    );
    for query in ["", "?organization=org_2", "?organization="] {
        let list = Reply::from(get(&bench, &format!("/portal/events{query}"), &cookie)).body;
        let rows = list["data"].as_array().unwrap();
        let seqs: Vec<_> = rows
            .iter()
            .map(|row| row["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(seqs, [1, 3], "{query}");
    }
    assert_eq!(
        get(&bench, "/portal/stream?organization=org_2", &cookie).status(),
        200
    );
}

#[test]
fn link_expires_after_five_minutes_and_its_page_after_an_hour() {
    let (bench, clock) = bench();
    let link = link(&bench);
    clock.advance(Duration::from_secs(5 * 60) - Duration::from_millis(1));
    let cookie = open(&bench, &link);
    clock.advance(Duration::from_millis(1));
    assert_eq!(bench.client.get(&link).send().unwrap().status(), 403);
    clock.advance(Duration::from_secs(60 * 60) - Duration::from_millis(2));
    assert_eq!(get(&bench, "/portal/events", &cookie).status(), 200);
    clock.advance(Duration::from_millis(1));
    for path in ["/portal", "/portal/events", "/portal/stream"] {
        assert_eq!(get(&bench, path, &cookie).status(), 403, "{path}");
    }
}

#[test]
fn only_a_signed_token_opens_the_page() {
    let (bench, _) = bench();
    let link = link(&bench);
    let (_, token) = link.split_once("?token=").unwrap();
    let forged = token.replace("org_1", "org_2");
    let extended = token.replacen(".1", ".2", 1);
    for token in ["", "x", "org_1", "org_1.1.", &forged, &extended] {
        let response = bench
            .client
            .get(bench.url(&format!("/portal?token={token}")))
            .send();
        assert_eq!(response.unwrap().status(), 403, "{token}");
    }
    // The token of a link is not a session, and a session is not a token.
    let of_link = format!("audit_portal={token}");
    assert_eq!(get(&bench, "/portal/events", &of_link).status(), 403);
    let session = open(&bench, &link).replace("audit_portal=", "");
    let response = bench
        .client
        .get(bench.url(&format!("/portal?token={session}")))
        .send();
    assert_eq!(response.unwrap().status(), 403);
    for cookie in ["", "audit_portal=", "audit_portal=org_1.9.0"] {
        assert_eq!(get(&bench, "/portal", cookie).status(), 403, "{cookie}");
    }
    // The API key grants no access either.
    assert_eq!(bench.get("/portal/events").status, 403);
}

#[test]
fn invalid_link_requests_are_rejected() {
    let (bench, _) = bench();
    let status = |body: &Value| {
        let reply = bench.post(LINK, body);
        assert!(reply.body["message"].is_string(), "{reply:?}");
        reply.status
    };
    let body = |organization: &str, intent: &str| json!({ "organization": organization, "intent": intent });
    assert_eq!(status(&body("org_unknown", "audit_logs")), 404);
    assert_eq!(status(&body("org_1", "sso")), 400);
    assert_eq!(status(&body("org_1", "audit_log")), 422);
    assert_eq!(status(&json!({ "intent": "audit_logs" })), 422);
}
