//! The service on axum.

use std::net::SocketAddr;
use std::sync::Arc;

use audit_tower::{AuditLayer, audited};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use futures_util::stream::{self, StreamExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::plain::{self, Sent};
use crate::setup::{CurrentUser, Framework, Gate, Request, Setup, Side, TIMEOUT};

pub(crate) struct Axum;

enum Error {
    Forbidden,
    Broken,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN.into_response(),
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

#[audited(action = "document.delete", target = "document")]
async fn delete_document(
    State(gate): State<Arc<Gate>>,
    Path(document): Path<String>,
) -> Result<StatusCode, Error> {
    match document.as_str() {
        "forbidden" => Err(Error::Forbidden),
        "broken" => Err(Error::Broken),
        "panicking" => panic!("on purpose"),
        "slow" => {
            gate.block().await;
            Ok(StatusCode::NO_CONTENT)
        }
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

#[audited(action = "document.delete", target = "document")]
async fn stream_document(Path(document): Path<String>) -> Body {
    let first = stream::once(async { Ok::<_, std::convert::Infallible>("first") });
    Body::from_stream(first.chain(stream::pending()))
}

#[audited(action = "document.delete", target = "document")]
async fn upgrade_document(Path(document): Path<String>) -> (StatusCode, HeaderMap) {
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("example")),
    ];
    (
        StatusCode::SWITCHING_PROTOCOLS,
        HeaderMap::from_iter(headers),
    )
}

#[audited(action = "document.delete", target = "document")]
async fn read_document(Path(document): Path<String>) -> &'static str {
    "text"
}

#[audited(action = "document.delete", target = "document")]
async fn options_of_document(Path(document): Path<String>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn sign_in(mut request: HttpRequest, next: Next) -> Response {
    request.extensions_mut().insert(CurrentUser);
    next.run(request).await
}

/// Blocks the response of a request for the document `held`.
async fn hold(State(gate): State<Arc<Gate>>, request: HttpRequest, next: Next) -> Response {
    let held = request.uri().path().ends_with("/held");
    let response = next.run(request).await;
    if held {
        gate.block().await;
    }
    response
}

impl Framework for Axum {
    type Sent = Sent;

    async fn serve(setup: Setup) -> SocketAddr {
        let document = delete(delete_document)
            .get(read_document)
            .options(options_of_document);
        let app = Router::new()
            .route("/documents/{document}", document)
            .route("/documents/{document}/stream", get(stream_document))
            .route("/documents/{document}/upgrade", get(upgrade_document))
            .layer(middleware::from_fn_with_state(
                Arc::clone(&setup.gate),
                hold,
            ));
        let app = other_layers(app, &setup, Side::Inside)
            .layer(AuditLayer::new(setup.recorder.clone()).principal::<CurrentUser>())
            .layer(middleware::from_fn(sign_in));
        let app = other_layers(app, &setup, Side::Outside).with_state(setup.gate);

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        address
    }

    async fn send(address: SocketAddr, request: Request) -> Sent {
        plain::send(address, request).await
    }

    async fn status(sent: &mut Sent) -> Option<u16> {
        plain::status(sent).await
    }
}

/// Adds the other layers of this side.
fn other_layers(mut app: Router<Arc<Gate>>, setup: &Setup, side: Side) -> Router<Arc<Gate>> {
    if setup.timeout == Some(side) {
        app = app.layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            TIMEOUT,
        ));
    }
    if setup.catch_panic == Some(side) {
        app = app.layer(CatchPanicLayer::new());
    }
    app
}
