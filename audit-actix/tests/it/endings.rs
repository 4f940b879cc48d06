//! Claim: every way in which a request can end leaves one event, with actor, organization and
//! address.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorRequestTimeout;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpResponse, ResponseError, web};
use audit_actix::{Value, audited};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::support::{CurrentUser, TIMEOUT, TestServer, line};

#[derive(Debug)]
struct AppError(StatusCode);

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        self.0
    }
}

/// Returns the response that the document's id selects.
#[audited(action = "document.delete", target(document = *document))]
async fn delete(document: web::Path<String>) -> Result<HttpResponse, AppError> {
    match document.as_str() {
        "denied" => Err(AppError(StatusCode::FORBIDDEN)),
        "denied-by-response" => Ok(HttpResponse::Unauthorized().finish()),
        "failed" => Err(AppError(StatusCode::INTERNAL_SERVER_ERROR)),
        "failed-by-response" => Ok(HttpResponse::NotFound().finish()),
        "panicked" => panic!("on purpose"),
        _ => Ok(HttpResponse::NoContent().finish()),
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/documents/{document}", web::delete().to(delete));
}

/// Deletes this document, and returns the response status and the recorded events.
async fn deleted(document: &str) -> (Option<u16>, Vec<String>) {
    let server = TestServer::start(routes);
    let status = server
        .send("DELETE", &format!("/documents/{document}"))
        .await;
    (status, server.lines().await)
}

fn event(document: &str, outcome: &str) -> Vec<String> {
    vec![format!(
        "document.delete document:{document} {outcome} u1@org_1 127.0.0.1"
    )]
}

#[actix_web::test]
async fn success_is_succeeded() {
    assert_eq!(deleted("7").await, (Some(204), event("7", "succeeded")));
}

#[actix_web::test]
async fn denial_by_error_or_response_is_denied() {
    for (document, status) in [("denied", 403), ("denied-by-response", 401)] {
        let expected = (Some(status), event(document, "denied"));
        assert_eq!(deleted(document).await, expected);
    }
}

#[actix_web::test]
async fn failure_by_error_or_response_is_failed() {
    for (document, status) in [("failed", 500), ("failed-by-response", 404)] {
        let expected = (Some(status), event(document, "failed"));
        assert_eq!(deleted(document).await, expected);
    }
}

#[actix_web::test]
async fn panic_in_the_handler_is_panicked() {
    assert_eq!(
        deleted("panicked").await,
        (None, event("panicked", "panicked"))
    );
}

#[actix_web::test]
async fn event_has_the_status_and_the_server_survives_a_panic() {
    let server = TestServer::start(routes);
    server.send("DELETE", "/documents/panicked").await;
    server.send("DELETE", "/documents/8").await;
    let (events, _) = server.end().await;
    let statuses: Vec<_> = events
        .iter()
        .map(|event| event.metadata_value("status"))
        .collect();
    assert_eq!(statuses, [None, Some(Value::Integer(204))]);
}

#[audited(action = "document.delete", target(document = "slow"))]
async fn slow(entered: web::Data<Notify>) -> HttpResponse {
    entered.notify_one();
    std::future::pending().await
}

async fn limit_time(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let result = timeout(Duration::from_millis(10), next.call(request)).await;
    result.map_err(|_| ErrorRequestTimeout("too slow"))?
}

#[actix_web::test]
async fn timeout_inside_is_abandoned() {
    let entered = web::Data::new(Notify::new());
    let server = TestServer::start_with(
        move |config| {
            let limited = web::delete().to(slow).wrap(from_fn(limit_time));
            config.app_data(entered.clone()).route("/slow", limited);
        },
        |audit| audit.principal::<CurrentUser>(),
    );
    assert_eq!(server.send("DELETE", "/slow").await, Some(408));
    assert_eq!(server.lines().await, event("slow", "abandoned"));
}

#[actix_web::test]
async fn disconnect_before_the_handler_completes_is_abandoned() {
    let entered = web::Data::new(Notify::new());
    let seen = Arc::clone(&entered);
    let server = TestServer::start_with(
        move |config| {
            config
                .app_data(entered.clone())
                .route("/slow", web::delete().to(slow));
        },
        |audit| audit.principal::<CurrentUser>(),
    );
    let connection = server.connect("DELETE", "/slow").await;
    timeout(TIMEOUT, seen.notified()).await.unwrap();
    drop(connection);
    assert_eq!(line(&server.event().await), event("slow", "abandoned")[0]);
    assert!(server.lines().await.is_empty(), "only one event");
}

/// Returns a body that never ends.
#[audited(action = "document.download", target(document = 1))]
async fn download() -> HttpResponse {
    let first = stream::iter([Ok::<_, Error>(web::Bytes::from_static(b"first"))]);
    let rest = stream::pending();
    HttpResponse::Ok().streaming(futures_util::StreamExt::chain(first, rest))
}

#[actix_web::test]
async fn disconnect_during_a_streaming_body_does_not_change_the_outcome() {
    let server = TestServer::start(|config| {
        config.route("/stream", web::get().to(download));
    });
    let mut connection = server.connect("GET", "/stream").await;
    let expected = "document.download document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(
        line(&server.event().await),
        expected,
        "recorded at the head, while the body is streaming"
    );
    connection.read_u8().await.unwrap();
    drop(connection);
    assert!(server.lines().await.is_empty(), "only one event");
}

#[audited(action = "document.download", target(document = 1))]
async fn upgrade() -> HttpResponse {
    HttpResponse::SwitchingProtocols()
        .insert_header(("upgrade", "echo"))
        .finish()
}

#[actix_web::test]
async fn upgrade_is_a_success() {
    let server = TestServer::start(|config| {
        config.route("/upgrade", web::get().to(upgrade));
    });
    let mut connection = server.connect("GET", "/upgrade").await;
    let expected = "document.download document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(line(&server.event().await), expected);
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    connection.shutdown().await.unwrap();
    drop(connection);
    assert!(server.lines().await.is_empty(), "only one event");
}

#[actix_web::test]
async fn audited_head_request_leaves_an_event_and_options_none() {
    let server = TestServer::start(|config| {
        config.route("/document", web::head().to(head)).route(
            "/document",
            web::method(actix_web::http::Method::OPTIONS).to(HttpResponse::Ok),
        );
    });
    assert_eq!(server.send("HEAD", "/document").await, Some(200));
    assert_eq!(server.send("OPTIONS", "/document").await, Some(200));
    let (events, stats) = server.end().await;
    assert_eq!(
        events.iter().map(line).collect::<Vec<_>>(),
        ["document.download document:1 succeeded u1@org_1 127.0.0.1"],
        "an audited HEAD leaves an event, an OPTIONS without audit none"
    );
    assert_eq!(stats.unaudited, 0, "neither changes anything");
}

#[audited(action = "document.download", target(document = 1))]
async fn head() -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn deny(
    _: ServiceRequest,
    _: Next<actix_web::body::BoxBody>,
) -> Result<ServiceResponse, Error> {
    Err(deletion("closed").await)
}

#[audited(action = "document.delete", target(document = document))]
async fn deletion(document: &str) -> Error {
    AppError(StatusCode::FORBIDDEN).into()
}

#[actix_web::test]
async fn error_of_an_inner_middleware_counts_by_its_response_status() {
    let server = TestServer::start(|config| {
        let closed = web::delete().to(HttpResponse::Ok).wrap(from_fn(deny));
        config.route("/closed", closed);
    });
    assert_eq!(server.send("DELETE", "/closed").await, Some(403));
    assert_eq!(server.lines().await, event("closed", "denied"));
}
