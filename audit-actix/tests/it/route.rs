//! Promise: an event for a route whose handler was not touched; refusals and exemptions.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorUnauthorized;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpResponse, web};
use audit_actix::web::OnUnaudited;
use audit_actix::{AuditRoute, RequestValue, action, path};

use crate::support::{CurrentUser, World};

async fn answer(status: web::Path<u16>) -> HttpResponse {
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
        .route("/routes/{status}", web::delete().to(answer).wrap(route()))
        .service(
            web::resource("/resources/{status}")
                .wrap(route())
                .route(web::delete().to(answer)),
        )
        .service(
            web::scope("/scopes")
                .wrap(route())
                .route("/{status}", web::delete().to(answer)),
        );
}

#[actix_web::test]
async fn the_status_says_how_it_went_wherever_the_middleware_is() {
    for place in ["routes", "resources", "scopes"] {
        let world = World::start(routes);
        for status in [204, 403, 500] {
            let answered = world.send("DELETE", &format!("/{place}/{status}")).await;
            assert_eq!(answered, Some(status));
        }
        assert_eq!(world.send("DELETE", &format!("/{place}/999")).await, None);
        let expected = [
            "document.delete document:204 succeeded u1@org_1 127.0.0.1",
            "document.delete document:403 denied u1@org_1 127.0.0.1",
            "document.delete document:500 failed u1@org_1 127.0.0.1",
            "document.delete document:999 panicked u1@org_1 127.0.0.1",
        ];
        assert_eq!(world.told().await, expected, "{place}");
    }
}

#[actix_web::test]
async fn a_method_that_the_resource_does_not_have_leaves_no_event() {
    let world = World::start(routes);
    assert_eq!(world.send("PUT", "/resources/204").await, Some(405));
    let (events, stats) = world.end().await;
    assert!(events.is_empty());
    assert_eq!(stats.skipped, 1);
}

#[actix_web::test]
async fn a_change_without_an_event_is_counted_and_an_exempt_one_is_not() {
    let world = World::start_with(
        |config| {
            let exempt = AuditRoute::exempt("reads only");
            config
                .route("/changes", web::post().to(HttpResponse::Ok))
                .route("/search", web::post().to(HttpResponse::Ok).wrap(exempt));
        },
        |audit| audit.on_unaudited(OnUnaudited::Ignore),
    );
    assert_eq!(world.send("POST", "/search").await, Some(200));
    assert_eq!(world.send("POST", "/changes").await, Some(200));
    let (events, stats) = world.end().await;
    assert!(events.is_empty());
    assert_eq!(stats.unaudited, 1);
}

async fn refuse(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    Err(ErrorUnauthorized("sign in first"))
}

#[actix_web::test]
async fn a_refusal_before_the_handler_is_a_denial_of_the_route() {
    let world = World::start_with(
        |config| {
            config
                .route("/forbidden/{id}", web::get().to(HttpResponse::Forbidden))
                .service(
                    web::scope("/closed")
                        .wrap(from_fn(refuse))
                        .route("/{id}", web::get().to(HttpResponse::Ok)),
                );
        },
        |audit| {
            audit
                .principal::<CurrentUser>()
                .denied_as(action!("access.denied"))
        },
    );
    assert_eq!(world.send("GET", "/forbidden/7").await, Some(403));
    assert_eq!(world.send("GET", "/closed/7").await, Some(401));
    let expected = [
        "access.denied route:GET /forbidden/{id} denied u1@org_1 127.0.0.1",
        "access.denied route:GET /closed/{id} denied u1@org_1 127.0.0.1",
    ];
    assert_eq!(world.told().await, expected);
}
