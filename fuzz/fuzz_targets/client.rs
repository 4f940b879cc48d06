//! Reads one response in every call of the client.
//!
//! The input is the response: a line with the status, lines with headers, an empty line, the body.
#![no_main]

use std::cell::LazyCell;
use std::convert::Infallible;
use std::time::{Duration, UNIX_EPOCH};

use audit_core::workos::{
    ApiKey, Error, ExportRequest, PageQuery, PortalIntent, PortalLinkRequest, RetentionPeriod,
    WorkOs,
};
use audit_core::{Actor, Event, Sink as _};
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};

const KEY: &str = "sk_test_canary";
const BASE: &str = "https://api.example";

thread_local! {
    /// The clock is paused, so waits take no time.
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        let mut builder = Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime without I/O")
    });
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(response) = response(bytes) {
        RUNTIME.with(|runtime| runtime.block_on(calls(response)));
    }
});

fn response(bytes: &[u8]) -> Option<Response<Bytes>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.lines();
    let mut response = Response::new(Bytes::copy_from_slice(&bytes[end + 2..]));
    *response.status_mut() = lines.next()?.parse().ok()?;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response
            .headers_mut()
            .append(name, HeaderValue::from_str(value).ok()?);
    }
    Some(response)
}

async fn calls(response: Response<Bytes>) {
    let status = response.status();
    let transport = tower::service_fn(move |request: Request<Bytes>| {
        let ours = request.uri().to_string().starts_with(&format!("{BASE}/"));
        assert!(
            ours || !request.headers().contains_key(AUTHORIZATION),
            "the key is sent to another host"
        );
        let response = response.clone();
        async move { Ok::<_, Infallible>(response) }
    });
    let client = WorkOs::builder(ApiKey::new(KEY).expect("a key"))
        .base_url(BASE)
        .transport(transport)
        .build()
        .expect("a client");
    let event = Event::builder("document.delete")
        .actor(Actor::user("u1"))
        .organization("org_1")
        .build()
        .expect("an event");
    let range = ExportRequest::new("org_1", UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1));
    let portal = PortalLinkRequest::new("org_1", PortalIntent::AuditLogs);
    let minute = Duration::from_secs(60);

    check(client.create_event(&event).await, status);
    check(client.list_actions(PageQuery::new()).await, status);
    check(client.actions().collect().await, status);
    check(client.list_schemas("a", PageQuery::new()).await, status);
    check(client.create_schema("a", &0).await, status);
    check(
        client.create_export(&range.clone().action("user.*")).await,
        status,
    );
    check(client.get_export("e").await, status);
    check(client.wait_for_export("e", minute).await, status);
    check(client.retention("org_1").await, status);
    check(
        client
            .set_retention("org_1", RetentionPeriod::months(3).expect("valid"))
            .await,
        status,
    );
    check(client.configuration("org_1").await, status);
    check(client.generate_portal_link(&portal).await, status);
    if let Some(download) = check(client.download_export("e").await, status) {
        check(download.write_to(&mut Vec::new()).await, status);
    }
    if let Err(fault) = client.deliver(&event).await {
        assert!(!format!("{fault:?}").contains(KEY));
    }
}

fn check<T>(result: Result<T, Error>, status: StatusCode) -> Option<T> {
    let error = match result {
        Ok(value) => {
            assert!(status.is_success(), "{status} was read as a success");
            return Some(value);
        }
        Err(error) => error,
    };
    assert!(error.status().is_none_or(|found| found == status));
    assert!(!(error.is_rejected() && error.is_retryable()), "{error}");
    assert!(!(error.is_rejected() && error.is_unauthorized()), "{error}");
    assert!(!format!("{error} {error:?}").contains(KEY));
    for field in error.field_errors() {
        assert!(!field.to_string().is_empty());
    }
    None
}
