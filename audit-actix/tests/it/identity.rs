//! Promise: who acts, and for whom, is taken from wherever it is said.

use actix_web::{HttpResponse, test, web};
use audit_actix::{Actor, Audit, AuditMiddleware, audited};

use crate::support::{CurrentUser, World};

#[audited(action = "document.delete", target(document = 1))]
async fn delete() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/orgs/{org_id}/documents", web::delete().to(delete));
}

async fn told(audit: impl FnOnce(AuditMiddleware) -> AuditMiddleware) -> Vec<String> {
    let world = World::start_with(routes, audit);
    world.send("DELETE", "/orgs/org%2F7/documents").await;
    world.told().await
}

#[actix_web::test]
async fn the_first_principal_that_is_found_counts() {
    let left = told(|audit| {
        audit
            .principal::<Actor>()
            .principal_with(|_| None::<Actor>)
            .principal::<CurrentUser>()
            .principal_with(|_| Some(Actor::service("last")))
    });
    let expected = "document.delete document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(left.await, [expected]);
}

#[actix_web::test]
async fn the_path_names_the_organization_unless_the_principal_knows_it() {
    let by_path = told(|audit| {
        audit
            .principal_with(|_| Some(Actor::user("u2")))
            .organization_from_path("no_such_parameter")
            .organization_from_path("org_id")
    });
    let expected = "document.delete document:1 succeeded u2@org/7 127.0.0.1";
    assert_eq!(by_path.await, [expected]);
    let by_principal = told(|audit| {
        audit
            .organization_from_path("org_id")
            .principal::<CurrentUser>()
    });
    let expected = "document.delete document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(by_principal.await, [expected]);
}

#[actix_web::test]
async fn a_closure_may_name_the_organization() {
    let left = told(|audit| {
        audit
            .principal_with(|_| Some(Actor::user("u2")))
            .organization_with(|request| {
                request
                    .headers()
                    .get("host")?
                    .to_str()
                    .ok()
                    .map(str::to_owned)
            })
    });
    let expected = "document.delete document:1 succeeded u2@localhost 127.0.0.1";
    assert_eq!(left.await, [expected]);
}

#[actix_web::test]
async fn without_a_principal_the_event_is_kept() {
    let left = told(|audit| audit.principal::<Actor>());
    let expected = "document.delete document:1 succeeded unresolved@org_fallback 127.0.0.1";
    assert_eq!(left.await, [expected]);
}

async fn accept(audit: Audit) -> HttpResponse {
    audit.set_actor(Actor::user("u9"));
    audit.set_organization("org_9");
    delete().await
}

#[actix_web::test]
async fn what_runs_deeper_has_the_last_word() {
    let world = World::start(|config| {
        config.route("/accept", web::post().to(accept));
    });
    world.send("POST", "/accept").await;
    let expected = "document.delete document:1 succeeded u9@org_9 127.0.0.1";
    assert_eq!(world.told().await, [expected]);
}

#[actix_web::test]
async fn an_extractor_without_the_middleware_says_what_to_do() {
    let app = actix_web::App::new().route("/accept", web::post().to(accept));
    let app = test::init_service(app).await;
    let request = test::TestRequest::post().uri("/accept").to_request();
    let answer = test::call_service(&app, request).await;
    assert_eq!(answer.status(), 500);
    let body = test::read_body(answer).await;
    let body = String::from_utf8_lossy(&body);
    assert!(
        body.contains(".wrap(AuditMiddleware::new(recorder))"),
        "{body}"
    );
}

#[actix_web::test]
async fn the_middleware_is_made_once_for_all_workers() {
    fn shared<T: Clone + Send + Sync>() {}
    shared::<AuditMiddleware>();
    shared::<audit_actix::AuditRoute>();
}
