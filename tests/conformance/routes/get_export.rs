//! `GET /audit_logs/exports/{id}`.

use std::time::Duration;

use audit_server::Fault;

use crate::service::{Answer, Call, EXPORT_DELAY, Service, changed, february};

const PATH: &str = "/audit_logs/exports";

/// The path of a new export.
async fn new(service: &Service) -> String {
    let made = service.send(service.post(PATH, &february())).await;
    format!("{PATH}/{}", made.text("/id"))
}

pub(crate) async fn good(service: &Service) -> Call {
    service.get(new(service).await)
}

pub(crate) async fn pending(service: &Service) -> Answer {
    let answer = service.send(good(service).await).await;
    assert_eq!(answer.text("/state"), "pending");
    answer
}

/// 200 with a url at which the file is, without a key: from the range's start on, and before its
/// end.
pub(crate) async fn ready(service: &Service) -> Answer {
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
    let answer = service.send(service.get(path)).await;
    assert_eq!(answer.text("/state"), "ready");
    let (status, file) = service.download(answer.text("/url")).await;
    assert_eq!(status, 200);
    let found: Vec<_> = file.lines().skip(1).collect();
    assert_eq!(found.len(), 2, "{file}");
    assert!(found[0].starts_with(moments[1]) && found[1].starts_with(moments[2]));
    answer
}

/// 200 with another url each time; one is good for ten minutes.
pub(crate) async fn ready_with_a_url_for_ten_minutes(service: &Service) -> Answer {
    let path = new(service).await;
    service.clock.advance(EXPORT_DELAY);
    let first = service.send(service.get(&*path)).await;
    service.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(service.download(first.text("/url")).await.0, 403);
    let answer = service.send(service.get(path)).await;
    assert_eq!(service.download(answer.text("/url")).await.0, 200);
    answer
}

pub(crate) async fn failed(service: &Service) -> Answer {
    service.server.inject(Fault::export_error());
    let path = new(service).await;
    service.clock.advance(EXPORT_DELAY);
    let answer = service.send(service.get(path)).await;
    assert_eq!(answer.text("/state"), "error");
    answer
}

pub(crate) async fn expired(service: &Service) -> Answer {
    let path = new(service).await;
    service
        .clock
        .advance(EXPORT_DELAY + Duration::from_secs(24 * 60 * 60));
    let answer = service.send(service.get(path)).await;
    assert_eq!(answer.text("/state"), "expired");
    answer
}

pub(crate) async fn unknown(service: &Service) -> Answer {
    let path = format!("{PATH}/audit_log_export_1");
    service.send(service.get(path)).await
}
