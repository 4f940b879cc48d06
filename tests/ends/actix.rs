//! The service on actix-web.

use std::net::{SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, ErrorRequestTimeout};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::{App, Error, HttpMessage, HttpResponse, HttpServer, ResponseError, web};
use audit_actix::{AuditMiddleware, audited};
use futures_util::future::FutureExt;
use futures_util::stream::{self, StreamExt};

use crate::plain::{self, Sent};
use crate::setup::{CurrentUser, Framework, Gate, Request, Setup, Side, TIMEOUT};

pub(crate) struct Actix;

#[derive(Debug)]
enum AppError {
    Forbidden,
    Broken,
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[audited(action = "document.delete", target(document = *document))]
async fn delete_document(
    gate: web::Data<Gate>,
    document: web::Path<String>,
) -> Result<HttpResponse, AppError> {
    match document.as_str() {
        "forbidden" => return Err(AppError::Forbidden),
        "broken" => return Err(AppError::Broken),
        "panicking" => panic!("on purpose"),
        "slow" => gate.block().await,
        _ => {}
    }
    Ok(HttpResponse::NoContent().finish())
}

#[audited(action = "document.delete", target(document = *document))]
async fn stream_document(document: web::Path<String>) -> HttpResponse {
    let first = stream::once(async { Ok::<_, Error>(web::Bytes::from_static(b"first")) });
    HttpResponse::Ok().body(BodyStream::new(
        first.chain(stream::pending()).boxed_local(),
    ))
}

#[audited(action = "document.delete", target(document = *document))]
async fn upgrade_document(document: web::Path<String>) -> HttpResponse {
    HttpResponse::SwitchingProtocols()
        .upgrade("example")
        .finish()
}

#[audited(action = "document.delete", target(document = *document))]
async fn read_document(document: web::Path<String>) -> &'static str {
    "text"
}

#[audited(action = "document.delete", target(document = *document))]
async fn options_of_document(document: web::Path<String>) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

type ServiceResult<B> = Result<ServiceResponse<B>, Error>;

async fn sign_in(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> ServiceResult<impl MessageBody> {
    request.extensions_mut().insert(CurrentUser);
    next.call(request).await
}

/// Blocks the response of a request for the document `held`.
async fn hold(
    gate: web::Data<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> ServiceResult<impl MessageBody> {
    let held = request.path().ends_with("/held");
    let response = next.call(request).await;
    if held {
        gate.block().await;
    }
    response
}

async fn time_out(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> ServiceResult<impl MessageBody> {
    match tokio::time::timeout(TIMEOUT, next.call(request)).await {
        Ok(response) => response,
        Err(_) => Err(ErrorRequestTimeout("slow")),
    }
}

async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> ServiceResult<impl MessageBody> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Err(ErrorInternalServerError("panicked")),
    }
}

impl Framework for Actix {
    type Sent = Sent;

    async fn serve(setup: Setup) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // actix needs its own runtime. The thread ends with the process.
        std::thread::spawn(move || actix_web::rt::System::new().block_on(run(listener, setup)));
        address
    }

    async fn send(address: SocketAddr, request: Request) -> Sent {
        plain::send(address, request).await
    }

    async fn status(sent: &mut Sent) -> Option<u16> {
        plain::status(sent).await
    }
}

async fn run(listener: TcpListener, setup: Setup) -> std::io::Result<()> {
    let times_out = |side| setup.timeout == Some(side);
    let catches = |side| setup.catch_panic == Some(side);
    let (times_out_inside, catches_inside) = (times_out(Side::Inside), catches(Side::Inside));
    let (times_out_outside, catches_outside) = (times_out(Side::Outside), catches(Side::Outside));
    let audit = AuditMiddleware::new(setup.recorder.clone()).principal::<CurrentUser>();
    let gate: web::Data<Gate> = web::Data::from(Arc::clone(&setup.gate));
    let app = move || {
        let document = web::resource("/documents/{document}")
            .route(web::delete().to(delete_document))
            .route(web::head().to(read_document))
            .route(web::method(Method::OPTIONS).to(options_of_document));
        // The last wrapped middleware runs first.
        App::new()
            .app_data(gate.clone())
            .service(document)
            .route(
                "/documents/{document}/stream",
                web::get().to(stream_document),
            )
            .route(
                "/documents/{document}/upgrade",
                web::get().to(upgrade_document),
            )
            .wrap(from_fn(hold))
            .wrap(Condition::new(times_out_inside, from_fn(time_out)))
            .wrap(Condition::new(catches_inside, from_fn(catch_panic)))
            .wrap(audit.clone())
            .wrap(from_fn(sign_in))
            .wrap(Condition::new(times_out_outside, from_fn(time_out)))
            .wrap(Condition::new(catches_outside, from_fn(catch_panic)))
    };
    HttpServer::new(app)
        .workers(1)
        .disable_signals()
        // Otherwise a handler runs to its end after its client has disconnected.
        .h1_allow_half_closed(false)
        .listen(listener)?
        .run()
        .await
}
