//! Promise: an audited axum handler records a complete event.

use std::net::SocketAddr;
use std::sync::Arc;

use audit_server::{LocalServer, StoredEvent};
use audit_tower::{Actor, AuditLayer, AuditOutcome, Outcome, Recorder, audited};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{CurrentUser, PATIENCE, client, serve, server};

#[derive(Debug)]
enum AppError {
    Forbidden,
    Broken,
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN.into_response(),
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

struct Share {
    user: String,
    days: Option<u16>,
}

/// Parses a share from a path segment, so that the tests need no serde.
fn share(text: &str) -> Share {
    let (user, days) = text.split_once('-').unwrap_or((text, ""));
    Share {
        user: user.to_owned(),
        days: days.parse().ok(),
    }
}

#[audited(
    action = "document.share",
    target(document = document),
    target(user = share.user),
    metadata(role = "reader", days = share.days, notify = true),
)]
async fn share_document(document: u32, share: Share) -> Result<StatusCode, AppError> {
    drop(share);
    Ok(StatusCode::NO_CONTENT)
}

async fn share_handler(Path((document, to)): Path<(u32, String)>) -> Result<StatusCode, AppError> {
    share_document(document, share(&to)).await
}

#[derive(Clone)]
struct Created {
    id: u32,
}

#[audited(action = "document.create", target(document = ok.id), metadata(title = title))]
async fn create_document(title: &str) -> Result<Created, AppError> {
    if title == "bad" {
        Err(AppError::Broken)
    } else {
        Ok(Created { id: 7 })
    }
}

async fn create_handler(Path(title): Path<String>) -> Result<Json<Value>, AppError> {
    Ok(Json(json!({ "id": create_document(&title).await?.id })))
}

#[audited(action = "document.delete", target = "document")]
async fn delete_document(
    State(state): State<Arc<Gate>>,
    Path(document): Path<u32>,
) -> Result<StatusCode, AppError> {
    match document {
        403 => Err(AppError::Forbidden),
        500 => Err(AppError::Broken),
        501 => panic!("on purpose"),
        502 => {
            state.entered.notify_one();
            std::future::pending().await
        }
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

#[derive(Default)]
struct Gate {
    entered: Notify,
}

struct World {
    server: LocalServer,
    recorder: Recorder,
    address: SocketAddr,
    gate: Arc<Gate>,
}

impl World {
    async fn start() -> Self {
        let server = server().await;
        let recorder = Recorder::builder(client(server.url())).build().unwrap();
        let gate = Arc::new(Gate::default());
        let sign_in = middleware::from_fn(async |mut request: Request, next: Next| {
            request
                .extensions_mut()
                .insert(CurrentUser { id: "u1".into() });
            next.run(request).await
        });
        let app = Router::new()
            .route("/documents/{document}", delete(delete_document))
            .route("/documents/{document}/shares/{to}", post(share_handler))
            .route("/titles/{title}", post(create_handler))
            .with_state(Arc::clone(&gate))
            .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>())
            .layer(sign_in);
        let address = serve(app).await;
        Self {
            server,
            recorder,
            address,
            gate,
        }
    }

    async fn send(&self, method: reqwest::Method, path: &str) -> reqwest::Result<StatusCode> {
        let request =
            reqwest::Client::new().request(method, format!("http://{}{path}", self.address));
        let request = request
            .header("user-agent", "promises")
            .header("x-request-id", "req-9");
        Ok(request.send().await?.status())
    }

    /// Returns the only event, as the server stored it.
    async fn event(&self) -> StoredEvent {
        self.recorder.flush(PATIENCE).await;
        let mut events = self.server.events().unwrap();
        assert_eq!(events.len(), 1, "one request records one event");
        events.remove(0)
    }
}

fn outcome(event: &StoredEvent) -> Value {
    event.event()["metadata"]["outcome"].clone()
}

fn target(event: &StoredEvent) -> Value {
    event.event()["targets"].clone()
}

#[tokio::test]
async fn event_has_actor_action_targets_time_context_and_metadata() {
    let world = World::start().await;
    let status = world
        .send(reqwest::Method::POST, "/documents/42/shares/u2-30")
        .await
        .unwrap();
    assert_eq!(status, 204);
    let stored = world.event().await;
    let mut event = stored.event();
    let occurred_at = event
        .as_object_mut()
        .unwrap()
        .remove("occurred_at")
        .unwrap();
    assert!(occurred_at.as_str().unwrap().ends_with('Z'));
    assert_eq!(stored.organization_id(), Some("org_local"));
    assert_eq!(
        event,
        json!({
            "action": "document.share",
            "actor": { "id": "u1", "type": "user", "name": "Ada" },
            "targets": [{ "id": "42", "type": "document" }, { "id": "u2", "type": "user" }],
            "context": { "location": "127.0.0.1", "user_agent": "promises" },
            "metadata": {
                "outcome": "succeeded", "role": "reader", "days": 30, "notify": true,
                "request_id": "req-9", "status": 204
            }
        })
    );
}

#[tokio::test]
async fn absent_option_omits_its_key() {
    let world = World::start().await;
    world
        .send(reqwest::Method::POST, "/documents/42/shares/u2")
        .await
        .unwrap();
    let event = world.event().await;
    assert_eq!(event.event()["metadata"].get("days"), None);
}

#[tokio::test]
async fn error_is_a_failure_and_403_is_a_denial() {
    for (document, status, ends) in [
        (1, 204, "succeeded"),
        (500, 500, "failed"),
        (403, 403, "denied"),
    ] {
        let world = World::start().await;
        let response = world
            .send(reqwest::Method::DELETE, &format!("/documents/{document}"))
            .await;
        assert_eq!(response.unwrap(), status);
        let event = world.event().await;
        assert_eq!(outcome(&event), ends);
        assert_eq!(event.event()["metadata"]["status"], status);
    }
}

#[tokio::test]
async fn created_event_has_the_id_of_the_return_value() {
    let world = World::start().await;
    world
        .send(reqwest::Method::POST, "/titles/good")
        .await
        .unwrap();
    assert_eq!(
        target(&world.event().await),
        json!([{ "id": "7", "type": "document" }])
    );
}

#[tokio::test]
async fn failed_creation_has_an_unresolved_target() {
    let world = World::start().await;
    world
        .send(reqwest::Method::POST, "/titles/bad")
        .await
        .unwrap();
    let event = world.event().await;
    assert_eq!(
        target(&event),
        json!([{ "id": "unresolved", "type": "document" }])
    );
    assert_eq!(outcome(&event), "failed");
}

#[tokio::test]
async fn panic_is_recorded_and_closes_the_connection() {
    let world = World::start().await;
    assert!(
        world
            .send(reqwest::Method::DELETE, "/documents/501")
            .await
            .is_err()
    );
    assert_eq!(outcome(&world.event().await), "panicked");
}

#[tokio::test]
async fn disconnected_client_leaves_an_abandoned_event() {
    let world = World::start().await;
    let mut connection = TcpStream::connect(world.address).await.unwrap();
    connection
        .write_all(b"DELETE /documents/502 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    world.gate.entered.notified().await;
    let events = world.server.subscribe();
    drop(connection);
    let event = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE))
        .await
        .unwrap();
    assert_eq!(
        outcome(&event.expect("the server stored the event")),
        "abandoned"
    );
}

/// Outcomes of functions that are not handlers, with an error type that declares its outcome.
#[tokio::test]
async fn scope_around_a_job_replaces_the_layer() {
    struct Refused;

    impl AuditOutcome for Refused {
        fn audit_outcome(&self) -> Outcome {
            Outcome::Denied
        }
    }

    struct Sweep {
        document: u32,
    }

    impl Sweep {
        #[audited(action = "document.delete", target = "self.document")]
        fn run(&self, allowed: bool) -> Result<(), Refused> {
            if allowed { Ok(()) } else { Err(Refused) }
        }
    }

    let server = server().await;
    // One at a time, so that events arrive in order.
    let recorder = Recorder::builder(client(server.url()))
        .concurrency(1)
        .build()
        .unwrap();
    let scope = recorder
        .scope()
        .actor(Actor::service("sweeper"))
        .organization("org_local");
    scope
        .run(async {
            assert!(Sweep { document: 1 }.run(true).is_ok());
            assert!(Sweep { document: 2 }.run(false).is_err());
        })
        .await;
    recorder.shutdown(PATIENCE).await;
    let events = server.events().unwrap();
    let outcomes: Vec<_> = events.iter().map(outcome).collect();
    assert_eq!(outcomes, ["succeeded", "denied"]);
    assert!(
        events
            .iter()
            .all(|event| event.event()["actor"]["id"] == "sweeper")
    );
    assert!(
        events
            .iter()
            .all(|event| event.event()["context"]["location"] == "internal")
    );
}
