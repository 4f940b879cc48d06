//! Our client's requests, field by field, against the documented wire forms in `golden`: method,
//! path, query, headers and body.
//!
//! The requests go to a server that only stores them, so the client is the only tested part.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use audit_tower::workos::{
    ApiKey, ExportRequest, Order, PageQuery, PortalIntent, PortalLinkRequest, RetentionPeriod,
    WorkOs,
};
use audit_tower::{Actor, Context, Event, Outcome, Target};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The headers that the service reads; the others belong to the transport.
const HEADERS: [&str; 4] = ["accept", "authorization", "content-type", "idempotency-key"];

type Kept = Arc<Mutex<Vec<Value>>>;

async fn keep(
    State(kept): State<Kept>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let headers: serde_json::Map<_, _> = HEADERS
        .iter()
        .filter_map(|name| {
            let values: Vec<_> = headers.get_all(*name).iter().collect();
            let one = match values[..] {
                [] => return None,
                [value] => value.to_str().unwrap().into(),
                _ => json!(format!("{} values", values.len())),
            };
            Some(((*name).to_owned(), one))
        })
        .collect();
    kept.lock().unwrap().push(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "headers": headers,
        "body": (!body.is_empty()).then(|| serde_json::from_slice::<Value>(&body).unwrap()),
    }));
    StatusCode::NO_CONTENT
}

/// Returns the request that a client sends in one call.
async fn sent(call: impl AsyncFnOnce(WorkOs)) -> Value {
    let kept = Kept::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(keep).with_state(Arc::clone(&kept));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let key = ApiKey::new("sk_test_golden").unwrap();
    // With a trailing slash, which must not appear in the path.
    let builder = WorkOs::builder(key).base_url(url + "/");
    call(builder.build().unwrap()).await;
    let mut kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 1, "one call is one request");
    kept.remove(0)
}

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Returns a time from its milliseconds since 1970.
fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// Returns the request of an event, with a placeholder for its random id.
async fn sent_event(event: &Event) -> Value {
    let mut sent = sent(async |client| {
        client.create_event(event).await.unwrap_err();
    })
    .await;
    let key = &mut sent["headers"]["idempotency-key"];
    assert_eq!(*key, event.id().to_string());
    assert_eq!(event.id().as_uuid().get_version_num(), 7);
    *key = json!("<the event's id>");
    sent
}

#[tokio::test]
async fn event_has_the_documented_form() {
    let actor = Actor::user("user_1").name("Jon Smith");
    let team = Target::new("team", "team_1").name("Core");
    let event = Event::builder("team.updated")
        .organization("org_1")
        .version(3)
        .actor(actor.metadata("role", "admin"))
        .target(team.metadata("owner", "user_2").metadata("size", 3))
        .target(Target::new("user", 7))
        .context(
            Context::new()
                .location("203.0.113.7")
                .user_agent("Chrome/104.0.0.0"),
        )
        .metadata("plan", "enterprise")
        .metadata("seats", 12)
        .metadata("share", 0.5)
        .metadata("trial", false)
        .occurred_at(at(1_770_050_139_317))
        .build()
        .unwrap();
    let expected = golden(include_str!("golden/event.json"));
    assert_eq!(sent_event(&event).await, expected);
}

/// Optional fields are absent, and *never* null.
#[tokio::test]
async fn minimal_event_omits_optional_fields() {
    let event = Event::builder("team.updated")
        .organization("org_1")
        .actor(Actor::system())
        .target(Target::new("team", 1))
        .outcome(Outcome::Denied)
        .occurred_at(UNIX_EPOCH)
        .build()
        .unwrap();
    let expected = golden(include_str!("golden/smallest_event.json"));
    assert_eq!(sent_event(&event).await, expected);
}

#[tokio::test]
async fn schema_has_the_documented_form() {
    let expected = golden(include_str!("golden/schema.json"));
    let schema = expected["body"].clone();
    let sent = sent(async |client| {
        let made = client.create_schema("team/updated now", &schema).await;
        made.unwrap_err();
    });
    assert_eq!(sent.await, expected);
}

#[tokio::test]
async fn page_is_requested_by_query() {
    let query = PageQuery::new().limit(100).order(Order::Ascending);
    let query = query.after("als_1");
    let schemas = sent(async |client| {
        client
            .list_schemas("team.updated", query)
            .await
            .unwrap_err();
    });
    let expected = golden(include_str!("golden/schema_list.json"));
    assert_eq!(schemas.await, expected);
    let actions = sent(async |client| {
        client.list_actions(PageQuery::new()).await.unwrap_err();
    });
    let expected = golden(include_str!("golden/action_list.json"));
    assert_eq!(actions.await, expected);
}

#[tokio::test]
async fn export_has_the_documented_form() {
    let request = ExportRequest::new("org_1", at(1_769_904_000_000), at(1_772_323_200_001))
        .action("team.updated")
        .action("team.deleted")
        .actor_name("Jon Smith")
        .actor_id("user_1")
        .target_type("team");
    let made = sent(async |client| {
        client.create_export(&request).await.unwrap_err();
    });
    assert_eq!(made.await, golden(include_str!("golden/export.json")));
    let read = sent(async |client| {
        let read = client.get_export("audit_log_export_1").await;
        read.unwrap_err();
    });
    assert_eq!(read.await, golden(include_str!("golden/export_read.json")));
}

/// An unused filter is absent, because the meaning of an empty list is not documented.
#[tokio::test]
async fn minimal_export_has_no_filters() {
    let request = ExportRequest::new("org_1", at(0), at(1_000));
    let made = sent(async |client| {
        client.create_export(&request).await.unwrap_err();
    });
    let expected = golden(include_str!("golden/smallest_export.json"));
    assert_eq!(made.await, expected);
}

/// Uses the newer of the two documented forms.
#[tokio::test]
async fn retention_is_set_by_period_name() {
    let set = sent(async |client| {
        let period = RetentionPeriod::retention_days(90).unwrap();
        client.set_retention("org_1", period).await.unwrap_err();
    });
    assert_eq!(set.await, golden(include_str!("golden/retention.json")));
    let read = sent(async |client| {
        client.retention("org_1").await.unwrap_err();
    });
    let expected = golden(include_str!("golden/retention_read.json"));
    assert_eq!(read.await, expected);
}

#[tokio::test]
async fn configuration_has_its_own_path() {
    let read = sent(async |client| {
        client.configuration("org_1").await.unwrap_err();
    });
    let expected = golden(include_str!("golden/configuration.json"));
    assert_eq!(read.await, expected);
}

#[tokio::test]
async fn portal_link_has_the_documented_form() {
    let request = PortalLinkRequest::new("org_1", PortalIntent::LogStreams)
        .return_url("https://app.example")
        .success_url("https://app.example/done")
        .it_contact_email("a@app.example")
        .it_contact_email("b@app.example");
    let made = sent(async |client| {
        client.generate_portal_link(&request).await.unwrap_err();
    });
    let expected = golden(include_str!("golden/portal_link.json"));
    assert_eq!(made.await, expected);
    let smallest = PortalLinkRequest::new("org_1", PortalIntent::AuditLogs);
    let made = sent(async |client| {
        client.generate_portal_link(&smallest).await.unwrap_err();
    });
    let expected = golden(include_str!("golden/smallest_portal_link.json"));
    assert_eq!(made.await, expected);
}
