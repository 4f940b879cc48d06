//! `GET /audit_logs/actions/{actionName}/schemas`.

use crate::service::{Answer, Call, Service};

const PATH: &str = "/audit_logs/actions/team.updated/schemas";

pub(crate) async fn good(service: &Service) -> Call {
    service.register("team.updated").await;
    service.get(PATH)
}

/// 200 with the newest first, ten of them, and a cursor to the rest.
pub(crate) async fn paged(service: &Service) -> Answer {
    for _ in 0..11 {
        service.register("team.updated").await;
    }
    let answer = service.send(service.get(PATH)).await;
    let versions = answer.body["data"].as_array().unwrap();
    assert_eq!((versions.len(), &versions[0]["version"]), (10, &11.into()));
    let cursor = answer.text("/list_metadata/after");
    assert!(answer.body["list_metadata"]["before"].is_null());
    let rest = service
        .send(service.get(format!("{PATH}?after={cursor}")))
        .await;
    assert_eq!(rest.body["data"][0]["version"], 1);
    assert!(rest.body["list_metadata"]["after"].is_null());
    let back = rest.text("/list_metadata/before");
    let again = service
        .send(service.get(format!("{PATH}?before={back}")))
        .await;
    assert_eq!(again.body["data"], answer.body["data"]);
    rest
}

/// 200 with an object `list` in the order that was asked for.
pub(crate) async fn ordered(service: &Service) -> Answer {
    for _ in 0..2 {
        service.register("team.updated").await;
    }
    let answer = service
        .send(service.get(format!("{PATH}?order=asc&limit=100")))
        .await;
    assert_eq!(answer.body["data"][0]["version"], 1);
    let normal = service
        .send(service.get(format!("{PATH}?order=normal")))
        .await;
    assert_eq!(normal.status, 200);
    answer
}

pub(crate) async fn of_an_unknown_action(service: &Service) -> Answer {
    service.send(service.get(PATH)).await
}

pub(crate) async fn with_a_wrong_query(service: &Service) -> Answer {
    service.register("team.updated").await;
    for query in ["limit=0", "limit=101", "order=up", "after=als_1"] {
        let answer = service.send(service.get(format!("{PATH}?{query}"))).await;
        assert_eq!(answer.status, 422, "{query}");
    }
    service.send(service.get(format!("{PATH}?limit=ten"))).await
}

/// 400: a name in the path that is not UTF-8.
pub(crate) async fn with_a_name_that_is_no_text(service: &Service) -> Answer {
    service
        .send(service.get("/audit_logs/actions/%FF/schemas"))
        .await
}
