//! What tower demands of a service in the middle: readiness, clones, errors, and that a request
//! passes through as it was.
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

/// Drives a service that a layer has put around a mock, as tower's own are driven.
async fn obeys_tower<S>(service: S, mut calls: Calls)
where
    S: Service<Request<&'static str>, Response = Response<&'static str>> + Clone,
    S::Error: std::fmt::Debug + ToString,
{
    calls.allow(0);
    let mut service = mock::Spawn::new(service);
    assert!(
        service.poll_ready().is_pending(),
        "not before the inner one"
    );
    calls.allow(1);
    assert!(service.is_woken(), "the inner one's wake-up arrives");
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));

    // The mock panics unless the very one that was polled is called, and a clone of it was not
    // polled.
    let mut clone = service.clone();
    let answer = service.call(Request::new("first"));
    let (request, respond) = calls.next_request().await.unwrap();
    assert_eq!(*request.body(), "first");
    respond.send_response(Response::new("answer"));
    assert_eq!(*answer.await.unwrap().body(), "answer");

    assert!(service.poll_ready().is_pending(), "one call for each time");
    assert!(clone.poll_ready().is_pending());
    drop(service);
    calls.allow(1);
    assert!(matches!(clone.poll_ready(), Poll::Ready(Ok(()))));
    let answer = clone.call(Request::new("second"));
    let (_, respond) = calls.next_request().await.unwrap();
    respond.send_error("broken");
    assert_eq!(answer.await.unwrap_err().to_string(), "broken");

    calls.send_error("closed");
    let Poll::Ready(Err(error)) = clone.poll_ready() else {
        panic!("the inner service has failed");
    };
    assert_eq!(error.to_string(), "closed");
}

#[tokio::test]
async fn the_layer_obeys_tower() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    obeys_tower(AuditLayer::new(recorder()).layer(inner), calls).await;
}

#[tokio::test]
async fn the_route_obeys_tower() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    let service = AuditLayer::new(recorder()).layer(route().layer(inner));
    obeys_tower(service, calls).await;
}

#[tokio::test]
async fn an_exempt_route_obeys_tower() {
    let (inner, calls): (Inner, Calls) = mock::pair();
    obeys_tower(AuditRoute::exempt("reads only").layer(inner), calls).await;
}

/// What a request or an answer has besides its first line.
type Rest = (Version, HeaderMap, Vec<u8>, Option<u32>);

fn rest() -> impl Strategy<Value = Rest> {
    let name = "[a-z][a-z0-9-]{0,12}|user-agent|traceparent|x-request-id|forwarded";
    let value = proptest::collection::vec(0x20_u8..=0xff, 0..20);
    let headers = proptest::collection::vec((name, value), 0..8).prop_map(|headers| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            // 0x7f is the one byte here that a value may not have.
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
    fn a_request_and_its_answer_pass_through_unchanged_but_for_the_scope(
        method in "[A-Z]{1,8}",
        path in "/[a-zA-Z0-9/_.%-]{0,20}(\\?[a-z=&]{0,10})?",
        status in 100_u16..1000,
        sent in rest(),
        answered in rest(),
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
            let (version, headers, body, extension) = answered.clone();
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
        prop_assert_eq!((parts.version, parts.headers, body, extension), answered);
    }
}
