//! Every call of our client, with the local server.

use std::time::{Duration, UNIX_EPOCH};

use audit_server::Fault;
use audit_tower::workos::{
    Error, ExportRequest, ExportState, LogState, Order, PageQuery, PortalIntent, PortalLinkRequest,
    RetentionPeriod,
};
use audit_tower::{Actor, Context, Event, Target};
use futures_util::StreamExt;
use serde_json::json;

use crate::service::{EXPORT_DELAY, Service};

fn event(action: &str) -> Event {
    Event::builder(action)
        .organization("org_1")
        .actor(Actor::user("u1").name("Ada"))
        .target(Target::new("team", 7).name("Core"))
        .context(Context::new().location("203.0.113.7"))
        .metadata("plan", "enterprise")
        .occurred_at(UNIX_EPOCH + Duration::from_millis(1_770_000_000_123))
        .build()
        .unwrap()
}

/// Requests an export of the year around the event.
fn request() -> ExportRequest {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let moment = UNIX_EPOCH + Duration::from_secs(1_770_000_000);
    ExportRequest::new("org_1", moment - year / 2, moment + year / 2)
}

/// Returns the status of an error, and asserts that it has a request id.
fn status_of(error: &Error) -> u16 {
    assert!(error.request_id().is_some(), "{error}");
    error.status().unwrap().as_u16()
}

#[tokio::test]
async fn event_is_stored_once() {
    let service = Service::start();
    service.register("team.updated").await;
    let event = event("team.updated");
    for _ in 0..2 {
        service.client().create_event(&event).await.unwrap();
    }
    let stored = service.server.events().unwrap();
    assert_eq!(stored.len(), 1);
    let stored = stored[0].event();
    assert_eq!(stored["occurred_at"], "2026-02-02T02:40:00.123Z");
    assert_eq!(
        stored["targets"],
        json!([{ "id": "7", "type": "team", "name": "Core" }])
    );
    assert_eq!(service.server.stats().unwrap().duplicates(), 1);
}

#[tokio::test]
async fn schemas_are_created_and_listed() {
    let service = Service::start();
    let client = service.client();
    let metadata = json!({ "type": "object", "properties": { "plan": { "type": "string" } } });
    let schema = json!({ "targets": [{ "type": "team" }], "actor": { "metadata": {} }, "metadata": metadata });
    let action = "team/updated now";
    let first = client.create_schema(action, &schema).await.unwrap();
    let second = client.create_schema(action, &schema).await.unwrap();
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(
        first.metadata.as_ref().unwrap().to_string(),
        metadata.to_string()
    );
    assert_eq!(first.targets[0].kind, "team");
    assert!(first.actor.is_some());
    let page = client.list_schemas(action, PageQuery::new()).await.unwrap();
    assert_eq!(page.data, [second, first]);
    assert_eq!((page.before, page.after), (None, None));
}

#[tokio::test]
async fn actions_are_listed_in_pages() {
    let service = Service::start();
    for action in ["a", "b", "c"] {
        service.register(action).await;
    }
    let client = service.client();
    let query = || PageQuery::new().limit(2).order(Order::Ascending);
    let first = client.list_actions(query()).await.unwrap();
    let names = |page: &audit_tower::workos::Page<audit_tower::workos::Action>| {
        page.data
            .iter()
            .map(|action| action.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first.before, None);
    let second = query().after(first.after.clone().unwrap());
    let second = client.list_actions(second).await.unwrap();
    assert_eq!(
        (names(&second), &second.after),
        (vec!["c".to_owned()], &None)
    );
    let back = query().before(second.before.unwrap());
    assert_eq!(client.list_actions(back).await.unwrap().data, first.data);
}

#[tokio::test]
async fn lists_are_paged_to_the_end() {
    let service = Service::start();
    for number in 0..101 {
        service.register(&format!("a{number}")).await;
    }
    for _ in 0..100 {
        service.register("a0").await;
    }
    let client = service.client();
    let actions = client.actions().collect().await.unwrap();
    assert_eq!(actions.len(), 101);
    assert_eq!(actions[0].name, "a100", "the newest first");
    let versions = client.schemas("a0").map(|schema| schema.unwrap().version);
    let versions: Vec<_> = versions.collect().await;
    assert_eq!(versions, (1..=101).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn export_is_created_awaited_and_downloaded() {
    let service = Service::start();
    service.register("team.updated").await;
    let client = service.client();
    client.create_event(&event("team.updated")).await.unwrap();
    let request = request()
        .actor_name("Ada")
        .actor_id("u1")
        .target_type("team");
    let made = client.create_export(&request).await.unwrap();
    assert_eq!((&made.state, &made.url), (&ExportState::Pending, &None));
    let early = client.download_export(&made.id).await.unwrap_err();
    assert!(early.to_string().contains("is pending"), "{early}");

    service.clock.advance(EXPORT_DELAY);
    let waited = client
        .wait_for_export(&made.id, EXPORT_DELAY)
        .await
        .unwrap();
    let read = client.get_export(&made.id).await.unwrap();
    assert_eq!((&waited.state, &waited.id), (&ExportState::Ready, &read.id));
    assert!(read.url.is_some());

    let download = client.download_export(&made.id).await.unwrap();
    let (mut file, mut progress) = (Vec::new(), Vec::new());
    let bytes = download
        .write_with_progress(&mut file, |so_far| progress.push(so_far.received()))
        .await
        .unwrap();
    assert_eq!((bytes, progress.last()), (file.len() as u64, Some(&bytes)));
    let text = String::from_utf8(file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].contains("team.updated") && lines[1].contains("Ada"));
}

#[tokio::test]
async fn wait_ends_when_the_export_fails_or_expires() {
    let service = Service::start();
    let client = service.client();
    service.server.inject(Fault::export_error());
    let fails = client.create_export(&request()).await.unwrap().id;
    let expires = client.create_export(&request()).await.unwrap().id;
    service.clock.advance(EXPORT_DELAY);
    let error = client
        .wait_for_export(&fails, EXPORT_DELAY)
        .await
        .unwrap_err();
    assert!(error.is_export_failed(), "{error}");
    service.clock.advance(Duration::from_secs(24 * 60 * 60));
    let error = client
        .wait_for_export(&expires, EXPORT_DELAY)
        .await
        .unwrap_err();
    assert!(error.is_export_expired(), "{error}");
}

#[tokio::test]
async fn wildcard_expands_to_matching_names() {
    let service = Service::start();
    let client = service.client();
    for action in ["team.updated", "team.deleted", "user.added"] {
        service.register(action).await;
        client.create_event(&event(action)).await.unwrap();
    }
    let expanded = client
        .expand_actions(request().action("team.*"))
        .await
        .unwrap();
    let exact = request().action("team.deleted").action("team.updated");
    assert_eq!(expanded, exact);
    let made = client
        .create_export(&request().action("team.*"))
        .await
        .unwrap();
    service.clock.advance(EXPORT_DELAY);
    let mut file = Vec::new();
    let download = client.download_export(&made.id).await.unwrap();
    download.write_to(&mut file).await.unwrap();
    let text = String::from_utf8(file).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("user.added"));
    let error = client
        .create_export(&request().action("unknown.*"))
        .await
        .unwrap_err();
    assert!(error.is_rejected() && error.status().is_none(), "{error}");
}

#[tokio::test]
async fn retention_is_set_and_read() {
    let service = Service::start();
    let client = service.client();
    assert_eq!(client.retention("org_1").await.unwrap().days, None);
    for period in RetentionPeriod::all() {
        let set = client.set_retention("org_1", period).await.unwrap();
        assert_eq!(set.days, Some(period.days()));
        assert_eq!(client.retention("org_1").await.unwrap(), set);
    }
    for days in (0..4_000)
        .filter(|days| RetentionPeriod::retention_days(*days).is_err())
        .step_by(400)
    {
        let body = json!({ "retention_period_in_days": days });
        let call = service.put("/organizations/org_1/audit_logs_retention", &body);
        assert_eq!(service.send(call).await.status, 422, "{days}");
    }
}

#[tokio::test]
async fn configuration_is_read() {
    let service = Service::start();
    let client = service.client();
    let period = RetentionPeriod::months(3).unwrap();
    client.set_retention("org_1", period).await.unwrap();
    let configuration = client.configuration("org_1").await.unwrap();
    assert_eq!(configuration.organization_id, "org_1");
    assert_eq!(configuration.retention_period_in_days, Some(90));
    assert_eq!(configuration.state, LogState::Active);
    assert_eq!(configuration.log_stream, None);
}

#[tokio::test]
async fn portal_link_opens() {
    let service = Service::start();
    let client = service.client();
    for intent in [PortalIntent::AuditLogs, PortalIntent::LogStreams] {
        let request = PortalLinkRequest::new("org_1", intent)
            .return_url("https://app.example")
            .it_contact_email("it@app.example");
        let link = client.generate_portal_link(&request).await.unwrap();
        // A valid link redirects to its page; an invalid one does not.
        let opened = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let opened = opened.get(link.url()).send().await.unwrap();
        assert_eq!(opened.status(), 303);
    }
}

#[tokio::test]
async fn error_describes_the_rejected_request() {
    let service = Service::start();
    let client = service.client();
    let error = client
        .create_event(&event("team.updated"))
        .await
        .unwrap_err();
    assert_eq!(status_of(&error), 400);
    assert!(error.is_rejected());
    assert_eq!(error.code(), Some("invalid_audit_log_event"));
    assert_eq!(
        error.field_errors()[0].instance_path.as_deref(),
        Some("/action")
    );

    let without_actor = Event::builder("team.updated")
        .organization("org_1")
        .target(Target::new("team", 1));
    let error = client
        .create_event(&without_actor.build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(status_of(&error), 422);
    assert_eq!(
        error.field_errors()[0].field.as_deref(),
        Some("event.actor")
    );
    assert_eq!(error.field_errors()[0].code.as_deref(), Some("required"));

    let error = client.retention("org_unknown").await.unwrap_err();
    assert!(status_of(&error) == 404 && error.is_not_found(), "{error}");
    let error = client.get_export("audit_log_export_1").await.unwrap_err();
    assert!(status_of(&error) == 404 && error.is_not_found(), "{error}");
    let error = client
        .list_schemas("unknown", PageQuery::new())
        .await
        .unwrap_err();
    assert!(status_of(&error) == 404 && error.is_not_found(), "{error}");

    let limited = Fault::status(429).retry_after("7").on("PUT", "*");
    service.server.inject(limited);
    let period = RetentionPeriod::years(1).unwrap();
    let error = client.set_retention("org_1", period).await.unwrap_err();
    assert!(
        status_of(&error) == 429 && error.is_rate_limited(),
        "{error}"
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}
