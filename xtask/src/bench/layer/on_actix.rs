//! The stacks of actix-web.

use std::fmt::Debug;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::dev::{Service, ServiceResponse};
use actix_web::middleware::Logger;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};
use audit_actix::web::OnUnaudited;
use audit_actix::{Actor, AuditMiddleware, AuditRoute, Recorder, action, audited, path};

use super::stack::{HEADERS, PEER, Stack};

async fn plain_delete(id: web::Path<u64>) -> HttpResponse {
    black_box(*id);
    HttpResponse::NoContent().finish()
}

#[audited(action = "document.delete", target(document = *id))]
async fn audited_delete(id: web::Path<u64>) -> HttpResponse {
    black_box(*id);
    HttpResponse::NoContent().finish()
}

/// Makes a stack of an app. Each app has a type of its own, which a function could not name.
macro_rules! stack {
    ($label:expr, $audited:expr, $app:expr) => {{
        let app = Rc::new(init_service($app).await);
        Stack {
            label: $label,
            audited: $audited,
            batch: Box::new(move |requests| {
                let app = Rc::clone(&app);
                Box::pin(async move { batch(&*app, || request().to_request(), requests).await })
            }),
        }
    }};
}

pub(super) async fn stacks(recorder: &Recorder) -> Vec<Stack> {
    let app = |route| App::new().route("/documents/{id}", route);
    let plain = || web::delete().to(plain_delete);
    let audit = AuditMiddleware::new(recorder.clone())
        .principal_with(|_| Some(Actor::user("user_1").name("Ada Lovelace")))
        .on_unaudited(OnUnaudited::Ignore);
    let by_route = AuditRoute::new(action!("document.delete")).target("document", path("id"));
    vec![
        stack!("plain", false, app(plain())),
        stack!(
            "Logger, no logger installed",
            false,
            app(plain()).wrap(Logger::default())
        ),
        stack!(
            "AuditMiddleware, no event",
            false,
            app(plain()).wrap(audit.clone())
        ),
        stack!(
            "AuditMiddleware, #[audited]: one event",
            true,
            app(web::delete().to(audited_delete)).wrap(audit.clone())
        ),
        stack!(
            "AuditMiddleware, AuditRoute: one event",
            true,
            app(plain().wrap(by_route)).wrap(audit)
        ),
    ]
}

/// Serves the requests. `R` is a request of actix-http, which actix-web does not re-export.
async fn batch<S, R, B>(app: &S, request: impl Fn() -> R, requests: u32) -> Duration
where
    S: Service<R, Response = ServiceResponse<B>>,
    S::Error: Debug,
{
    let requests: Vec<_> = (0..requests).map(|_| request()).collect();
    let started = Instant::now();
    for request in requests {
        drop(black_box(call_service(app, request).await));
    }
    started.elapsed()
}

/// Returns a request with everything that the middleware reads.
fn request() -> TestRequest {
    let request = TestRequest::delete().uri("/documents/42").peer_addr(PEER);
    HEADERS
        .into_iter()
        .fold(request, TestRequest::insert_header)
}
