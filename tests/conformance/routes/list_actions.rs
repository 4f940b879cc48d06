//! `GET /audit_logs/actions`.

use crate::service::{Call, Response, Service};

const PATH: &str = "/audit_logs/actions";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.get(PATH)
}

/// 200 with every action and a version of its schema, the newest first.
pub(crate) async fn listed(service: &Service) -> Response {
    for action in ["team.created", "team.updated", "team.deleted"] {
        service.register(action).await;
    }
    let response = service.send(service.get(format!("{PATH}?limit=2"))).await;
    assert_eq!(response.text("/data/0/name"), "team.deleted");
    assert_eq!(response.body["data"][0]["schema"]["version"], 1);
    let cursor = response.text("/list_metadata/after");
    let rest = service
        .send(service.get(format!("{PATH}?after={cursor}")))
        .await;
    assert_eq!(rest.text("/data/0/name"), "team.created");
    assert_eq!(rest.body["data"].as_array().unwrap().len(), 1);
    response
}

/// 200 with an empty list if no action is registered.
pub(crate) async fn empty(service: &Service) -> Response {
    let response = service.send(service.get(PATH)).await;
    assert_eq!(response.body["data"].as_array().unwrap().len(), 0);
    response
}

pub(crate) async fn invalid_query(service: &Service) -> Response {
    service.send(service.get(format!("{PATH}?limit=101"))).await
}
