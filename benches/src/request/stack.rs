//! The stacks of layers that are compared, and the requests that they serve.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use audit_tower::web::OnUnaudited;
use audit_tower::{Actor, AuditLayer, OrganizationId, Principal, Recorder, audited};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::routing::{MethodRouter, delete};
use tower_http::trace::TraceLayer;
use tower_service::Service;

use super::pass_through::PassThrough;

pub const NO_LAYER: &str = "no layer";
pub const PASS_THROUGH: &str = "a layer that does nothing";
pub const TRACE: &str = "TraceLayer, no subscriber";
pub const TRACE_JSON: &str = "TraceLayer, JSON subscriber";
pub const NO_EVENT: &str = "AuditLayer, no event";
pub const AUDITED: &str = "AuditLayer and #[audited]: one event";

/// The headers that our layer reads.
const HEADERS: [(&str, &str); 3] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"),
    ("x-request-id", "01HX7Q6Z3F9WJ6V0D2M5T8K4RB"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 4711);

async fn plain_delete(Path(id): Path<u64>) -> StatusCode {
    black_box(id);
    StatusCode::NO_CONTENT
}

#[audited(
    action = "document.delete",
    target = "id",
    metadata(reason = "retention period has ended", pages = 12)
)]
async fn audited_delete(Path(id): Path<u64>) -> StatusCode {
    black_box(id);
    StatusCode::NO_CONTENT
}

/// The user that a sign-in middleware leaves in the request.
#[derive(Clone, Debug)]
struct CurrentUser {
    id: &'static str,
    name: &'static str,
    organization: &'static str,
}

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(self.id).name(self.name)
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.organization.into())
    }
}

const USER: CurrentUser = CurrentUser {
    id: "user_01KVQ0NEB1H7W5YF3GQ9A2P8KM",
    name: "Ada Lovelace",
    organization: "org_01KVQ0M5S7RZJ3T4N8XD2C6B9F",
};

/// A service in some layers.
#[derive(Clone, Debug)]
pub struct Stack {
    pub label: &'static str,
    /// Each request leaves an event.
    pub audited: bool,
    /// A subscriber that writes JSON is installed.
    pub json: bool,
    pub app: Router,
}

/// Returns all stacks that are compared; the first has no layer.
#[must_use]
pub fn stacks(recorder: &Recorder) -> Vec<Stack> {
    let app = |route: MethodRouter| Router::new().route("/documents/{id}", route);
    let plain = || app(delete(plain_delete));
    let audit = AuditLayer::new(recorder.clone())
        .principal::<CurrentUser>()
        .on_unaudited(OnUnaudited::Ignore);
    let stack = |label, app| Stack {
        label,
        audited: false,
        json: false,
        app,
    };
    vec![
        stack(NO_LAYER, plain()),
        stack(PASS_THROUGH, plain().layer(PassThrough)),
        stack(TRACE, plain().layer(TraceLayer::new_for_http())),
        Stack {
            json: true,
            ..stack(TRACE_JSON, plain().layer(TraceLayer::new_for_http()))
        },
        stack(NO_EVENT, plain().layer(audit.clone())),
        Stack {
            audited: true,
            ..stack(AUDITED, app(delete(audited_delete)).layer(audit))
        },
    ]
}

impl Stack {
    /// Serves these requests, one after the other.
    pub async fn serve(&mut self, requests: Vec<Request>) {
        for request in requests {
            let response = self.app.call(request).await;
            black_box(response.map(drop)).unwrap_or_else(|never| match never {});
        }
    }
}

/// Returns requests with everything that the layer reads.
#[must_use]
pub fn requests(count: usize) -> Vec<Request> {
    (0..count).map(|_| request()).collect()
}

fn request() -> Request {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = Uri::from_static("/documents/42");
    for (name, value) in HEADERS {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        request.headers_mut().insert(name, value);
    }
    request.extensions_mut().insert(ConnectInfo(PEER));
    request.extensions_mut().insert(USER);
    request
}
