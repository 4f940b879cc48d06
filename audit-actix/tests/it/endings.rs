//! Promise: one event for every way in which a request can end, with actor, organization and
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

use crate::support::{CurrentUser, PATIENCE, World, told};

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

/// Answers as the document's id says.
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

/// What a request to delete this document leaves.
async fn deleted(document: &str) -> (Option<u16>, Vec<String>) {
    let world = World::start(routes);
    let status = world
        .send("DELETE", &format!("/documents/{document}"))
        .await;
    (status, world.told().await)
}

fn event(document: &str, outcome: &str) -> Vec<String> {
    vec![format!(
        "document.delete document:{document} {outcome} u1@org_1 127.0.0.1"
    )]
}

#[actix_web::test]
async fn success() {
    assert_eq!(deleted("7").await, (Some(204), event("7", "succeeded")));
}

#[actix_web::test]
async fn denial() {
    for (document, status) in [("denied", 403), ("denied-by-response", 401)] {
        let expected = (Some(status), event(document, "denied"));
        assert_eq!(deleted(document).await, expected);
    }
}

#[actix_web::test]
async fn failure() {
    for (document, status) in [("failed", 500), ("failed-by-response", 404)] {
        let expected = (Some(status), event(document, "failed"));
        assert_eq!(deleted(document).await, expected);
    }
}

#[actix_web::test]
async fn handler_panic() {
    assert_eq!(
        deleted("panicked").await,
        (None, event("panicked", "panicked"))
    );
}

#[actix_web::test]
async fn the_status_is_in_the_event_and_the_server_goes_on_after_a_panic() {
    let world = World::start(routes);
    world.send("DELETE", "/documents/panicked").await;
    world.send("DELETE", "/documents/8").await;
    let (events, _) = world.end().await;
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

async fn time_limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let answer = timeout(Duration::from_millis(10), next.call(request)).await;
    answer.map_err(|_| ErrorRequestTimeout("too slow"))?
}

#[actix_web::test]
async fn a_time_limit_inside() {
    let entered = web::Data::new(Notify::new());
    let world = World::start_with(
        move |config| {
            let limited = web::delete().to(slow).wrap(from_fn(time_limit));
            config.app_data(entered.clone()).route("/slow", limited);
        },
        |audit| audit.principal::<CurrentUser>(),
    );
    assert_eq!(world.send("DELETE", "/slow").await, Some(408));
    assert_eq!(world.told().await, event("slow", "abandoned"));
}

#[actix_web::test]
async fn a_client_that_hangs_up_before_the_handler_has_finished() {
    let entered = web::Data::new(Notify::new());
    let seen = Arc::clone(&entered);
    let world = World::start_with(
        move |config| {
            config
                .app_data(entered.clone())
                .route("/slow", web::delete().to(slow));
        },
        |audit| audit.principal::<CurrentUser>(),
    );
    let connection = world.connect("DELETE", "/slow").await;
    timeout(PATIENCE, seen.notified()).await.unwrap();
    drop(connection);
    assert_eq!(told(&world.event().await), event("slow", "abandoned")[0]);
    assert!(world.told().await.is_empty(), "one event and no more");
}

/// A body whose end never comes.
#[audited(action = "document.download", target(document = 1))]
async fn download() -> HttpResponse {
    let first = stream::iter([Ok::<_, Error>(web::Bytes::from_static(b"first"))]);
    let rest = stream::pending();
    HttpResponse::Ok().streaming(futures_util::StreamExt::chain(first, rest))
}

#[actix_web::test]
async fn a_streaming_body_and_a_client_that_hangs_up_after_the_head() {
    let world = World::start(|config| {
        config.route("/stream", web::get().to(download));
    });
    let mut connection = world.connect("GET", "/stream").await;
    let expected = "document.download document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(
        told(&world.event().await),
        expected,
        "the head is enough, while the body streams on"
    );
    connection.read_u8().await.unwrap();
    drop(connection);
    assert!(world.told().await.is_empty(), "one event and no more");
}

#[audited(action = "document.download", target(document = 1))]
async fn upgrade() -> HttpResponse {
    HttpResponse::SwitchingProtocols()
        .insert_header(("upgrade", "echo"))
        .finish()
}

#[actix_web::test]
async fn an_upgrade() {
    let world = World::start(|config| {
        config.route("/upgrade", web::get().to(upgrade));
    });
    let mut connection = world.connect("GET", "/upgrade").await;
    let expected = "document.download document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(told(&world.event().await), expected);
    let mut head = [0; 12];
    connection.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    connection.shutdown().await.unwrap();
    drop(connection);
    assert!(world.told().await.is_empty(), "one event and no more");
}

#[actix_web::test]
async fn head_and_options() {
    let world = World::start(|config| {
        config.route("/document", web::head().to(head)).route(
            "/document",
            web::method(actix_web::http::Method::OPTIONS).to(HttpResponse::Ok),
        );
    });
    assert_eq!(world.send("HEAD", "/document").await, Some(200));
    assert_eq!(world.send("OPTIONS", "/document").await, Some(200));
    let (events, stats) = world.end().await;
    assert_eq!(
        events.iter().map(told).collect::<Vec<_>>(),
        ["document.download document:1 succeeded u1@org_1 127.0.0.1"],
        "an audited HEAD is an event, an OPTIONS that nobody audits is none"
    );
    assert_eq!(stats.unaudited, 0, "neither changes anything");
}

#[audited(action = "document.download", target(document = 1))]
async fn head() -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn refuse(
    _: ServiceRequest,
    _: Next<actix_web::body::BoxBody>,
) -> Result<ServiceResponse, Error> {
    Err(deletion("refused").await)
}

#[audited(action = "document.delete", target(document = document))]
async fn deletion(document: &str) -> Error {
    AppError(StatusCode::FORBIDDEN).into()
}

#[actix_web::test]
async fn an_error_of_a_middleware_inside_settles_by_the_status_it_will_have() {
    let world = World::start(|config| {
        let refused = web::delete().to(HttpResponse::Ok).wrap(from_fn(refuse));
        config.route("/refused", refused);
    });
    assert_eq!(world.send("DELETE", "/refused").await, Some(403));
    assert_eq!(world.told().await, event("refused", "denied"));
}
