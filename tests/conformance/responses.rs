//! The checks of every response: its route, its status and the documented schema. And the tests
//! that every route has.

use std::fs;
use std::path::Path;

use jsonschema::Registry;
use serde_json::Value;

use crate::documented::Route;
use crate::service::{Call, EXPORT_DELAY, Response, Service};

/// The rate limit of a limited server: greater than the requests any test needs for its set-up.
const RATE_LIMIT: u32 = 10;

/// The base URL of the schemas' references to each other; nothing is fetched.
const BASE: &str = "https://schemas.example/";

/// Runs the test of a row, and checks its response against the row and the schema.
pub(crate) async fn check(name: &str, status: u16, test: impl AsyncFn(&Service) -> Response) {
    let service = Service::start();
    let response = test(&service).await;
    assert_response(Route::named(name), status, &response);
}

fn assert_response(route: &Route, status: u16, response: &Response) {
    assert!(
        route.matches(response.method.as_str(), &response.path),
        "{} {} is not {}",
        response.method,
        response.path,
        route.title()
    );
    assert_eq!(response.status, status, "{response:?}");
    assert!(
        response.headers.contains_key("x-request-id"),
        "{response:?}"
    );
    let content_type = response.headers["content-type"].to_str().unwrap();
    assert!(
        content_type.starts_with("application/json"),
        "{content_type}"
    );
    assert_schema(route.schema(status), &response.body);
}

/// Asserts that a body matches a schema of `schemas`.
pub(crate) fn assert_schema(schema: &str, body: &Value) {
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

/// 401: without a key, and with an unknown key.
pub(crate) async fn unauthorized(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let call = good(&service).await;
    for key in [None, Some("sk_test_wrong".to_owned())] {
        let response = service
            .send(Call {
                key,
                ..call.clone()
            })
            .await;
        assert_response(Route::named(name), 401, &response);
    }
}

/// 403: with a key that lacks the permission. Every key of the local server has all permissions, so
/// an injected fault responds.
pub(crate) async fn forbidden(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let call = good(&service).await;
    service.server.inject(audit_server::Fault::status(403));
    let response = service.send(call).await;
    assert_response(Route::named(name), 403, &response);
}

/// 429: beyond the rate limit, until its window has passed.
pub(crate) async fn rate_limited(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::with(|builder| builder.rate_limit(RATE_LIMIT, EXPORT_DELAY));
    let call = good(&service).await;
    let mut response = service.send(call.clone()).await;
    let mut sent = 1;
    while response.status != 429 {
        assert!(
            sent <= RATE_LIMIT,
            "{sent} requests without a 429: {response:?}"
        );
        response = service.send(call.clone()).await;
        sent += 1;
    }
    assert_response(Route::named(name), 429, &response);
    assert_eq!(
        response.headers["retry-after"],
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
    assert_response(Route::named(name), 413, &service.send(call).await);
}

/// 415: a body with another content type than JSON.
pub(crate) async fn not_json(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let mut call = good(&service).await;
    call.headers = vec![("content-type", "text/plain".to_owned())];
    assert_response(Route::named(name), 415, &service.send(call).await);
}

/// 400: a body with the content type of JSON that is not JSON.
pub(crate) async fn malformed(name: &str, good: impl AsyncFn(&Service) -> Call) {
    let service = Service::start();
    let mut call = good(&service).await;
    call.body.as_mut().unwrap().pop();
    assert_response(Route::named(name), 400, &service.send(call).await);
}

#[test]
#[should_panic(expected = "retention: ")]
fn schema_violation_is_detected() {
    assert_schema(
        "retention",
        &serde_json::json!({ "retention_period_in_days": "30" }),
    );
}
