//! What holds for every answer: it is the answer of the route and the status that its row names, in
//! the documented form.

use std::fs;
use std::path::Path;

use jsonschema::Registry;
use serde_json::Value;

use crate::documented::Route;
use crate::service::{Answer, Call, EXPORT_DELAY, Service};

/// Requests that the limited server takes before it refuses one: more than any test needs to set up
/// its call.
const RATE_LIMIT: u32 = 10;

/// Where the schemas say that they are, so that one may refer to another; nothing is fetched.
const BASE: &str = "https://schemas.example/";

/// Runs the test of a row, and holds its answer against the row and the schema.
pub(crate) async fn check(name: &str, status: u16, test: impl AsyncFn(&Service) -> Answer) {
    let service = Service::start();
    let answer = test(&service).await;
    hold(Route::named(name), status, &answer);
}

fn hold(route: &Route, status: u16, answer: &Answer) {
    assert!(
        route.is(answer.method.as_str(), &answer.path),
        "{} {} is not {}",
        answer.method,
        answer.path,
        route.title()
    );
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.headers.contains_key("x-request-id"), "{answer:?}");
    let content_type = answer.headers["content-type"].to_str().unwrap();
    assert!(
        content_type.starts_with("application/json"),
        "{content_type}"
    );
    documented(route.schema(status), &answer.body);
}

/// Holds a body against a schema of `schemas`.
pub(crate) fn documented(schema: &str, body: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/schemas");
    let mut registry = Registry::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        registry = registry.add(format!("{BASE}{name}"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let whole = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("{BASE}{schema}.json")
    });
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&whole)
        .unwrap();
    let errors: Vec<_> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{schema}: {errors:#?}\n{body:#}");
}

/// 401: without a key, and with one that is not the server's.
pub(crate) async fn no_key(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let call = good(&service).await;
    for key in [None, Some("sk_test_wrong".to_owned())] {
        let answer = service
            .send(Call {
                key,
                ..call.clone()
            })
            .await;
        hold(Route::named(name), 401, &answer);
    }
}

/// 403: with a key that lacks the permission. Every key of the local server may do everything, so a
/// fault answers.
pub(crate) async fn no_permission(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let call = good(&service).await;
    service.server.inject(audit_server::Fault::status(403));
    let answer = service.send(call).await;
    hold(Route::named(name), 403, &answer);
}

/// 429: beyond the rate limit, until its window has passed.
pub(crate) async fn too_many(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::with(|builder| builder.rate_limit(RATE_LIMIT, EXPORT_DELAY));
    let call = good(&service).await;
    let mut answer = service.send(call.clone()).await;
    let mut sent = 1;
    while answer.status != 429 {
        assert!(
            sent <= RATE_LIMIT,
            "{sent} requests, and no end: {answer:?}"
        );
        answer = service.send(call.clone()).await;
        sent += 1;
    }
    hold(Route::named(name), 429, &answer);
    assert_eq!(
        answer.headers["retry-after"],
        EXPORT_DELAY.as_secs().to_string()
    );
    service.clock.advance(EXPORT_DELAY);
    assert_ne!(service.send(call).await.status, 429);
}

/// 413: a body over one mebibyte.
pub(crate) async fn too_large(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let mut call = good(&service).await;
    let body = call.body.as_mut().unwrap();
    body.resize(1_024 * 1_024 + 1, b' ');
    hold(Route::named(name), 413, &service.send(call).await);
}

/// 415: a body that does not say that it is JSON.
pub(crate) async fn not_json(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let mut call = good(&service).await;
    call.headers = vec![("content-type", "text/plain".to_owned())];
    hold(Route::named(name), 415, &service.send(call).await);
}

/// 400: a body that is not JSON, though it says so.
pub(crate) async fn malformed(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let mut call = good(&service).await;
    call.body.as_mut().unwrap().pop();
    hold(Route::named(name), 400, &service.send(call).await);
}

#[test]
#[should_panic(expected = "retention: ")]
fn an_answer_of_another_form_is_noticed() {
    documented(
        "retention",
        &serde_json::json!({ "retention_period_in_days": "30" }),
    );
}
