//! The contract of a tower middleware: readiness, clones and errors of the inner service, and
//! requests and responses that pass through unchanged.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::task::Poll;

use audit_tower::{AuditLayer, AuditRoute, MemorySink, Recorder, Scope, action};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use proptest::prelude::*;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock::{self, Handle, Mock};

fn recorder() -> Recorder {
    Recorder::builder(MemorySink::new())
        .fallback_organization("org_1")
        .build()
        .unwrap()
}

fn route() -> AuditRoute {
    AuditRoute::new(action!("document.delete"))
}

type Inner = Mock<Request<&'static str>, Response<&'static str>>;
type Calls = Handle<Request<&'static str>, Response<&'static str>>;

/// Drives a service around a mock, as tower tests its own middleware.
async fn assert_tower_contract<S>(service: S, mut calls: Calls)
where
    S: Service<Request<&'static str>, Response = Response<&'static str>> + Clone,
    S::Error: std::fmt::Debug + ToString,
{
    calls.allow(0);
    let mut service = mock::Spawn::new(service);
    assert!(
        service.poll_ready().is_pending(),
        "not ready before the inner service"
    );
    calls.allow(1);
    assert!(service.is_woken(), "woken by the inner service");
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));

    // The mock panics if a clone is called that was not polled ready itself.
    let mut clone = service.clone();
    let response = service.call(Request::new("first"));
    let (request, respond) = calls.next_request().await.unwrap();
    assert_eq!(*request.body(), "first");
    respond.send_response(Response::new("response"));
    assert_eq!(*response.await.unwrap().body(), "response");

    assert!(service.poll_ready().is_pending(), "ready for one call only");
    assert!(clone.poll_ready().is_pending());
    drop(service);
    calls.allow(1);
    assert!(matches!(clone.poll_ready(), Poll::Ready(Ok(()))));
    let response = clone.call(Request::new("second"));
    let (_, respond) = calls.next_request().await.unwrap();
    respond.send_error("broken");
    assert_eq!(response.await.unwrap_err().to_string(), "broken");

    calls.send_error("closed");
    let Poll::Ready(Err(error)) = clone.poll_ready() else {
        panic!("the inner service has failed");
    };
    assert_eq!(error.to_string(), "closed");
}

#[tokio::test]
async fn layer_keeps_the_tower_contract() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    assert_tower_contract(AuditLayer::new(recorder()).layer(inner), calls).await;
}

#[tokio::test]
async fn audited_route_keeps_the_tower_contract() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    let service = AuditLayer::new(recorder()).layer(route().layer(inner));
    assert_tower_contract(service, calls).await;
}

#[tokio::test]
async fn exempt_route_keeps_the_tower_contract() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    assert_tower_contract(AuditRoute::exempt("reads only").layer(inner), calls).await;
}

/// The parts of a request or response besides its first line.
type Rest = (Version, HeaderMap, Vec<u8>, Option<u32>);

fn rest() -> impl Strategy<Value = Rest> {
    let name = "[a-z][a-z0-9-]{0,12}|user-agent|traceparent|x-request-id|forwarded";
    let value = proptest::collection::vec(0x20_u8..=0xff, 0..20);
    let headers = proptest::collection::vec((name, value), 0..8).prop_map(|headers| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            // Of these bytes, only 0x7f is not allowed in a value.
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                map.append(name, value);
            }
        }
        map
    });
    let version = prop_oneof![
        Just(Version::HTTP_10),
        Just(Version::HTTP_11),
        Just(Version::HTTP_2)
    ];
    (version, headers, any::<Vec<u8>>(), any::<Option<u32>>())
}

proptest! {
    #[test]
    fn request_and_response_pass_through_unchanged_except_for_the_scope(
        method in "[A-Z]{1,8}",
        path in "/[a-zA-Z0-9/_.%-]{0,20}(\\?[a-z=&]{0,10})?",
        status in 100_u16..1000,
        sent in rest(),
        returned in rest(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let method: Method = method.parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let inner = service_fn(|request: Request<Vec<u8>>| {
            let (mut parts, body) = request.into_parts();
            assert_eq!((&parts.method, parts.uri.to_string()), (&method, path.clone()));
            assert!(parts.extensions.remove::<Scope>().is_some());
            let extension = parts.extensions.remove::<u32>();
            assert!(parts.extensions.is_empty());
            assert_eq!((parts.version, parts.headers, body, extension), sent.clone());
            let (version, headers, body, extension) = returned.clone();
            let mut response = Response::new(body);
            *response.status_mut() = status;
            *response.version_mut() = version;
            *response.headers_mut() = headers;
            extension.and_then(|extension| response.extensions_mut().insert(extension));
            std::future::ready(Ok::<_, &str>(response))
        });
        let service = AuditLayer::new(recorder()).layer(route().layer(inner));
        let (version, headers, body, extension) = sent.clone();
        let mut request = Request::builder().method(&method).uri(&path).version(version).body(body).unwrap();
        *request.headers_mut() = headers;
        extension.and_then(|extension| request.extensions_mut().insert(extension));
        let (mut parts, body) = runtime.block_on(service.oneshot(request)).unwrap().into_parts();
        let extension = parts.extensions.remove::<u32>();
        prop_assert!(parts.extensions.is_empty());
        prop_assert_eq!(parts.status, status);
        prop_assert_eq!((parts.version, parts.headers, body, extension), returned);
    }
}
