//! `GET /audit_logs/actions`.

use crate::service::{Answer, Call, Service};

const PATH: &str = "/audit_logs/actions";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.get(PATH)
}

/// 200 with every action and a version of its schema, the newest first.
pub(crate) async fn listed(service: &Service) -> Answer {
    for action in ["team.created", "team.updated", "team.deleted"] {
        service.register(action).await;
    }
    let answer = service.send(service.get(format!("{PATH}?limit=2"))).await;
    assert_eq!(answer.text("/data/0/name"), "team.deleted");
    assert_eq!(answer.body["data"][0]["schema"]["version"], 1);
    let cursor = answer.text("/list_metadata/after");
    let rest = service
        .send(service.get(format!("{PATH}?after={cursor}")))
        .await;
    assert_eq!(rest.text("/data/0/name"), "team.created");
    assert_eq!(rest.body["data"].as_array().unwrap().len(), 1);
    answer
}

/// 200 with an empty list where nothing is registered.
pub(crate) async fn empty(service: &Service) -> Answer {
    let answer = service.send(service.get(PATH)).await;
    assert_eq!(answer.body["data"].as_array().unwrap().len(), 0);
    answer
}

pub(crate) async fn with_a_wrong_query(service: &Service) -> Answer {
    service.send(service.get(format!("{PATH}?limit=101"))).await
}
