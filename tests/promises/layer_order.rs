//! Promise: a misplaced layer loses no event, and the log names the remedy.

use std::io;
use std::sync::{Arc, Mutex};

use audit_tower::{ActorKind, AuditLayer, MemorySink, Recorder, audited};
use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::delete;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{CurrentUser, PATIENCE, serve};

#[audited(action = "document.delete", target = "document")]
async fn delete_document(Path(document): Path<u32>) {}

async fn sign_in(mut request: Request, next: Next) -> Response {
    request
        .extensions_mut()
        .insert(CurrentUser { id: "u1".into() });
    next.run(request).await
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Serves one request through the layers that `with` adds. Returns the kind of the event's actor,
/// its organization, and the log.
async fn recorded(
    with: impl FnOnce(Router, AuditLayer) -> Router,
) -> (ActorKind, Option<String>, String) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_fallback")
        .build()
        .unwrap();
    let layer = AuditLayer::new(recorder.clone()).principal::<CurrentUser>();
    let app = with(
        Router::new().route("/documents/{document}", delete(delete_document)),
        layer,
    );
    let address = serve(app).await;
    let response = reqwest::Client::new()
        .delete(format!("http://{address}/documents/7"))
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success());
    recorder.shutdown(PATIENCE).await;

    let events = sink.events();
    assert_eq!(events.len(), 1, "the event is kept");
    let kind = events[0].actor().unwrap().kind();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (kind, events[0].organization().map(ToOwned::to_owned), log)
}

#[tokio::test]
async fn audit_layer_inside_the_sign_in_resolves_the_user() {
    let (actor, organization, log) =
        recorded(|app, audit| app.layer(audit).layer(middleware::from_fn(sign_in))).await;
    assert_eq!(
        (actor, organization.as_deref()),
        (ActorKind::User, Some("org_local"))
    );
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn audit_layer_outside_the_sign_in_keeps_the_event_and_logs_the_remedy() {
    let (actor, organization, log) =
        recorded(|app, audit| app.layer(middleware::from_fn(sign_in)).layer(audit)).await;
    assert_eq!(
        (actor, organization.as_deref()),
        (ActorKind::Unresolved, Some("org_fallback"))
    );
    let line = log
        .lines()
        .find(|line| line.contains("ERROR"))
        .expect("an error is logged");
    assert!(
        line.contains("It ran outside the layer that inserts"),
        "{line}"
    );
    assert!(line.contains("CurrentUser"), "{line}");
    assert!(line.contains("add it after `AuditLayer`"), "{line}");
    assert!(line.contains("document.delete"), "{line}");
}
