//! `GET /audit_logs/exports/{id}`.

use std::time::Duration;

use audit_server::Fault;

use crate::service::{Call, EXPORT_DELAY, Response, Service, changed, february};

const PATH: &str = "/audit_logs/exports";

/// Creates an export and returns its path.
async fn new(service: &Service) -> String {
    let made = service.send(service.post(PATH, &february())).await;
    format!("{PATH}/{}", made.text("/id"))
}

pub(crate) async fn good(service: &Service) -> Call {
    service.get(new(service).await)
}

pub(crate) async fn pending(service: &Service) -> Response {
    let response = service.send(good(service).await).await;
    assert_eq!(response.text("/state"), "pending");
    response
}

/// 200 with the URL of the file, which needs no key. The file has the events from the range's
/// start, inclusive, to its end, exclusive.
pub(crate) async fn ready(service: &Service) -> Response {
    service.register("team.updated").await;
    let moments = [
        "2026-01-31T23:59:59.999Z",
        "2026-02-01T00:00:00.000Z",
        "2026-02-28T23:59:59.999Z",
        "2026-03-01T00:00:00.000Z",
    ];
    for moment in moments {
        let event = changed(|event| event["occurred_at"] = moment.into());
        let call = service.post("/audit_logs/events", &event);
        assert_eq!(service.send(call).await.status, 200);
    }
    let path = new(service).await;
    service.clock.advance(EXPORT_DELAY);
    let response = service.send(service.get(path)).await;
    assert_eq!(response.text("/state"), "ready");
    let (status, file) = service.download(response.text("/url")).await;
    assert_eq!(status, 200);
    let found: Vec<_> = file.lines().skip(1).collect();
    assert_eq!(found.len(), 2, "{file}");
    assert!(found[0].starts_with(moments[1]) && found[1].starts_with(moments[2]));
    response
}

/// 200 with a new URL each time; a URL is valid for ten minutes.
pub(crate) async fn url_expires_after_ten_minutes(service: &Service) -> Response {
    let path = new(service).await;
    service.clock.advance(EXPORT_DELAY);
    let first = service.send(service.get(&*path)).await;
    service.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(service.download(first.text("/url")).await.0, 403);
    let response = service.send(service.get(path)).await;
    assert_eq!(service.download(response.text("/url")).await.0, 200);
    response
}

pub(crate) async fn failed(service: &Service) -> Response {
    service.server.inject(Fault::export_error());
    let path = new(service).await;
    service.clock.advance(EXPORT_DELAY);
    let response = service.send(service.get(path)).await;
    assert_eq!(response.text("/state"), "error");
    response
}

pub(crate) async fn expired(service: &Service) -> Response {
    let path = new(service).await;
    service
        .clock
        .advance(EXPORT_DELAY + Duration::from_secs(24 * 60 * 60));
    let response = service.send(service.get(path)).await;
    assert_eq!(response.text("/state"), "expired");
    response
}

pub(crate) async fn unknown(service: &Service) -> Response {
    let path = format!("{PATH}/audit_log_export_1");
    service.send(service.get(path)).await
}
