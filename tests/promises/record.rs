//! Promise: the imperative macros and the checked names record the same events as the attribute; a
//! denial has its own action. This crate depends on the facade only, so the macros resolve their
//! paths through it.

use std::net::SocketAddr;

use audit_server::{EventStatus, LocalServer, StoredEvent};
use audit_tower::{
    Actor, AuditLayer, AuditOutcome, Event, Outcome, Recorder, action, audited, catalog, record,
    try_record,
};
use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use serde_json::json;

use crate::support::{CurrentUser, PATIENCE, client, serve, server};

catalog! {
    /// The actions of the tests' catalog.
    mod actions;
}

/// An error that responds with 403.
struct Forbidden;

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        StatusCode::FORBIDDEN.into_response()
    }
}

#[audited(
    action = "document.share",
    target(document = document),
    target(user = "u2"),
    metadata(role = "reader", notify = false),
)]
async fn share(Path(document): Path<u32>) -> Result<StatusCode, Forbidden> {
    match document {
        403 => Err(Forbidden),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

async fn delete_both(Path(document): Path<u32>) -> StatusCode {
    record!("document.delete", target(document = document));
    record!(
        actions::DOCUMENT_DELETE,
        target(document = document + 1),
        actor = &CurrentUser { id: "u7".into() },
        outcome = Outcome::Failed,
    );
    StatusCode::FORBIDDEN
}

struct World {
    server: LocalServer,
    recorder: Recorder,
    address: SocketAddr,
}

impl World {
    async fn start() -> Self {
        let server = server().await;
        let recorder = Recorder::builder(client(server.url())).build().unwrap();
        let sign_in = middleware::from_fn(async |mut request: Request, next: Next| {
            request
                .extensions_mut()
                .insert(CurrentUser { id: "u1".into() });
            next.run(request).await
        });
        let app = Router::new()
            .route("/documents/{document}", delete(delete_both))
            .route("/documents/{document}/shares", post(share))
            .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>())
            .layer(sign_in);
        let address = serve(app).await;
        Self {
            server,
            recorder,
            address,
        }
    }

    async fn send(&self, method: reqwest::Method, path: &str) -> StatusCode {
        let url = format!("http://{}{path}", self.address);
        let request = reqwest::Client::new().request(method, url);
        request.send().await.unwrap().status()
    }

    async fn events(&self) -> Vec<StoredEvent> {
        self.recorder.flush(PATIENCE).await;
        self.server.events().unwrap()
    }
}

fn action_and_outcome(event: &StoredEvent) -> (String, String) {
    let outcome = event.event()["metadata"]["outcome"]
        .as_str()
        .unwrap()
        .to_owned();
    (event.action().unwrap().to_owned(), outcome)
}

#[tokio::test]
async fn denial_is_recorded_under_the_catalogs_denied_action() {
    for (document, status, action, outcome) in [
        (1, 204, "document.share", "succeeded"),
        (403, 403, "document.share_denied", "denied"),
    ] {
        let world = World::start().await;
        let path = format!("/documents/{document}/shares");
        assert_eq!(world.send(reqwest::Method::POST, &path).await, status);
        let events = world.events().await;
        assert_eq!(events.len(), 1);
        assert_eq!(
            action_and_outcome(&events[0]),
            (action.to_owned(), outcome.to_owned())
        );
        assert_eq!(events[0].status(), EventStatus::Accepted);
    }
}

#[tokio::test]
async fn denied_outcome_of_an_error_type_selects_the_denied_action_without_a_layer() {
    struct Refused;

    impl AuditOutcome for Refused {
        fn audit_outcome(&self) -> Outcome {
            Outcome::Denied
        }
    }

    #[audited(
        action = actions::DOCUMENT_SHARE,
        target(document = document),
        metadata(role = "reader", notify = false),
    )]
    fn share_as_job(document: u32) -> Result<(), Refused> {
        if document == 1 { Ok(()) } else { Err(Refused) }
    }

    let server = server().await;
    // One at a time, so that events arrive in order.
    let recorder = Recorder::builder(client(server.url()))
        .concurrency(1)
        .build()
        .unwrap();
    let scope = recorder
        .scope()
        .actor(Actor::system())
        .organization("org_local");
    scope
        .run(async {
            assert!(share_as_job(1).is_ok());
            assert!(share_as_job(2).is_err());
        })
        .await;
    recorder.shutdown(PATIENCE).await;
    let events = server.events().unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action().unwrap()).collect();
    assert_eq!(
        actions,
        [actions::DOCUMENT_SHARE, actions::DOCUMENT_SHARE_DENIED]
    );
}

#[tokio::test]
async fn record_in_a_handler_uses_the_requests_actor_and_context() {
    let world = World::start().await;
    assert_eq!(
        world.send(reqwest::Method::DELETE, "/documents/42").await,
        403
    );
    let events = world.events().await;
    let found: Vec<_> = events
        .iter()
        .map(|event| {
            let (action, outcome) = action_and_outcome(event);
            let event = event.event();
            json!([
                action,
                outcome,
                event["actor"]["id"],
                event["targets"][0]["id"],
                event["context"]["location"],
                event["metadata"]["status"]
            ])
        })
        .collect();
    assert_eq!(
        found,
        [
            json!(["document.delete", "succeeded", "u1", "42", "127.0.0.1", 403]),
            // A response of 403 turns the failure into a denial, as for an audited function.
            json!(["document.delete", "denied", "u7", "43", "127.0.0.1", 403]),
        ]
    );
}

#[tokio::test]
async fn try_record_records_before_the_scope_settles_and_returns_the_id() {
    let server = server().await;
    let recorder = Recorder::builder(client(server.url())).build().unwrap();
    let scope = recorder
        .scope()
        .actor(Actor::system())
        .organization("org_local");
    let id = scope
        .enter(|| try_record!("document.delete", target(document = 42)))
        .unwrap();
    recorder.flush(PATIENCE).await;
    let events = server.events().unwrap();
    assert_eq!(events.len(), 1, "the scope is still open");
    assert_eq!(events[0].idempotency_key(), Some(&*id.to_string()));

    recorder.shutdown(PATIENCE).await;
    let error = scope
        .enter(|| try_record!("document.delete", target(document = 43)))
        .unwrap_err();
    assert!(error.is_closed());
    assert_eq!(
        error.into_event().unwrap().targets().next().unwrap().id(),
        "43"
    );
    assert_eq!(recorder.stats().refused, 1);
}

#[tokio::test]
async fn record_without_a_recorder_evaluates_nothing_and_is_counted() {
    let before = audit_tower::unrecorded();
    let evaluated = std::cell::Cell::new(false);
    let id = || {
        evaluated.set(true);
        42
    };
    record!("document.delete", target(document = id()));
    let error = try_record!("document.delete", target(document = id())).unwrap_err();
    assert!(error.is_without_recorder());
    assert!(!evaluated.get());
    assert!(audit_tower::unrecorded() >= before + 2);
}

#[tokio::test]
async fn checked_names_equal_their_text() {
    let by_name = Event::builder(action!("document.delete")).build().unwrap();
    let by_constant = Event::builder(actions::DOCUMENT_DELETE).build().unwrap();
    assert_eq!(by_name.action(), by_constant.action());
    let catalog = catalog!();
    let share = catalog.action("document.share").unwrap();
    assert_eq!(share.denied(), Some(actions::DOCUMENT_SHARE_DENIED));
    assert_eq!(share.metadata().len(), 3);
}
