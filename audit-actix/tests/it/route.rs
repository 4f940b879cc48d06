//! Claim: an audited route leaves events without a change to its handler; denials before the
//! handler and exempt routes.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorUnauthorized;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpResponse, web};
use audit_actix::web::OnUnaudited;
use audit_actix::{AuditRoute, RequestValue, action, path};

use crate::support::{CurrentUser, TestServer};

async fn respond(status: web::Path<u16>) -> HttpResponse {
    match status.into_inner() {
        999 => panic!("on purpose"),
        status => HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish(),
    }
}

fn route() -> AuditRoute {
    AuditRoute::new(action!("document.delete"))
        .target("document", path("status"))
        .target("document", RequestValue::with(|_| None))
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/routes/{status}", web::delete().to(respond).wrap(route()))
        .service(
            web::resource("/resources/{status}")
                .wrap(route())
                .route(web::delete().to(respond)),
        )
        .service(
            web::scope("/scopes")
                .wrap(route())
                .route("/{status}", web::delete().to(respond)),
        );
}

#[actix_web::test]
async fn status_decides_the_outcome_around_route_resource_and_scope() {
    for place in ["routes", "resources", "scopes"] {
        let server = TestServer::start(routes);
        for status in [204, 403, 500] {
            let returned = server.send("DELETE", &format!("/{place}/{status}")).await;
            assert_eq!(returned, Some(status));
        }
        assert_eq!(server.send("DELETE", &format!("/{place}/999")).await, None);
        let expected = [
            "document.delete document:204 succeeded u1@org_1 127.0.0.1",
            "document.delete document:403 denied u1@org_1 127.0.0.1",
            "document.delete document:500 failed u1@org_1 127.0.0.1",
            "document.delete document:999 panicked u1@org_1 127.0.0.1",
        ];
        assert_eq!(server.lines().await, expected, "{place}");
    }
}

#[actix_web::test]
async fn method_not_allowed_leaves_no_event() {
    let server = TestServer::start(routes);
    assert_eq!(server.send("PUT", "/resources/204").await, Some(405));
    let (events, stats) = server.end().await;
    assert!(events.is_empty());
    assert_eq!(stats.skipped, 1);
}

#[actix_web::test]
async fn exempt_route_is_not_counted_as_unaudited() {
    let server = TestServer::start_with(
        |config| {
            let exempt = AuditRoute::exempt("reads only");
            config
                .route("/changes", web::post().to(HttpResponse::Ok))
                .route("/search", web::post().to(HttpResponse::Ok).wrap(exempt));
        },
        |audit| audit.on_unaudited(OnUnaudited::Ignore),
    );
    assert_eq!(server.send("POST", "/search").await, Some(200));
    assert_eq!(server.send("POST", "/changes").await, Some(200));
    let (events, stats) = server.end().await;
    assert!(events.is_empty());
    assert_eq!(stats.unaudited, 1);
}

async fn deny(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    Err(ErrorUnauthorized("sign in first"))
}

#[actix_web::test]
async fn denial_before_the_handler_is_recorded_by_its_route() {
    let server = TestServer::start_with(
        |config| {
            config
                .route("/forbidden/{id}", web::get().to(HttpResponse::Forbidden))
                .service(
                    web::scope("/closed")
                        .wrap(from_fn(deny))
                        .route("/{id}", web::get().to(HttpResponse::Ok)),
                );
        },
        |audit| {
            audit
                .principal::<CurrentUser>()
                .denied_as(action!("access.denied"))
        },
    );
    assert_eq!(server.send("GET", "/forbidden/7").await, Some(403));
    assert_eq!(server.send("GET", "/closed/7").await, Some(401));
    let expected = [
        "access.denied route:GET /forbidden/{id} denied u1@org_1 127.0.0.1",
        "access.denied route:GET /closed/{id} denied u1@org_1 127.0.0.1",
    ];
    assert_eq!(server.lines().await, expected);
}
