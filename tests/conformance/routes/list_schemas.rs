//! `GET /audit_logs/actions/{actionName}/schemas`.

use crate::service::{Call, Response, Service};

const PATH: &str = "/audit_logs/actions/team.updated/schemas";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.get(PATH)
}

/// 200 with ten versions, the newest first, and a cursor to the rest.
pub(crate) async fn paged(service: &Service) -> Response {
    for _ in 0..11 {
        service.register("team.updated").await;
    }
    let response = service.send(service.get(PATH)).await;
    let versions = response.body["data"].as_array().unwrap();
    assert_eq!((versions.len(), &versions[0]["version"]), (10, &11.into()));
    let cursor = response.text("/list_metadata/after");
    assert!(response.body["list_metadata"]["before"].is_null());
    let rest = service
        .send(service.get(format!("{PATH}?after={cursor}")))
        .await;
    assert_eq!(rest.body["data"][0]["version"], 1);
    assert!(rest.body["list_metadata"]["after"].is_null());
    let back = rest.text("/list_metadata/before");
    let again = service
        .send(service.get(format!("{PATH}?before={back}")))
        .await;
    assert_eq!(again.body["data"], response.body["data"]);
    rest
}

/// 200 with an object `list` in the requested order.
pub(crate) async fn ordered(service: &Service) -> Response {
    for _ in 0..2 {
        service.register("team.updated").await;
    }
    let response = service
        .send(service.get(format!("{PATH}?order=asc&limit=100")))
        .await;
    assert_eq!(response.body["data"][0]["version"], 1);
    let normal = service
        .send(service.get(format!("{PATH}?order=normal")))
        .await;
    assert_eq!(normal.status, 200);
    response
}

pub(crate) async fn unknown_action(service: &Service) -> Response {
    service.send(service.get(PATH)).await
}

pub(crate) async fn invalid_query(service: &Service) -> Response {
    service.register("team.updated").await;
    for query in ["limit=0", "limit=101", "order=up", "after=als_1"] {
        let response = service.send(service.get(format!("{PATH}?{query}"))).await;
        assert_eq!(response.status, 422, "{query}");
    }
    service.send(service.get(format!("{PATH}?limit=ten"))).await
}

/// 400: a name in the path that is not UTF-8.
pub(crate) async fn name_not_utf8(service: &Service) -> Response {
    service
        .send(service.get("/audit_logs/actions/%FF/schemas"))
        .await
}
