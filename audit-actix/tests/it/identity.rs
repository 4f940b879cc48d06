//! Claim: actor and organization come from the last source that sets them.

use actix_web::{HttpResponse, test, web};
use audit_actix::{Actor, Audit, AuditMiddleware, audited};

use crate::support::{CurrentUser, TestServer};

#[audited(action = "document.delete", target(document = 1))]
async fn delete() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

fn routes(config: &mut web::ServiceConfig) {
    config.route("/orgs/{org_id}/documents", web::delete().to(delete));
}

async fn recorded(audit: impl FnOnce(AuditMiddleware) -> AuditMiddleware) -> Vec<String> {
    let server = TestServer::start_with(routes, audit);
    server.send("DELETE", "/orgs/org%2F7/documents").await;
    server.lines().await
}

#[actix_web::test]
async fn first_principal_that_is_found_is_used() {
    let lines = recorded(|audit| {
        audit
            .principal::<Actor>()
            .principal_with(|_| None::<Actor>)
            .principal::<CurrentUser>()
            .principal_with(|_| Some(Actor::service("last")))
    });
    let expected = "document.delete document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(lines.await, [expected]);
}

#[actix_web::test]
async fn organization_comes_from_the_path_unless_the_principal_has_one() {
    let by_path = recorded(|audit| {
        audit
            .principal_with(|_| Some(Actor::user("u2")))
            .organization_from_path("no_such_parameter")
            .organization_from_path("org_id")
    });
    let expected = "document.delete document:1 succeeded u2@org/7 127.0.0.1";
    assert_eq!(by_path.await, [expected]);
    let by_principal = recorded(|audit| {
        audit
            .organization_from_path("org_id")
            .principal::<CurrentUser>()
    });
    let expected = "document.delete document:1 succeeded u1@org_1 127.0.0.1";
    assert_eq!(by_principal.await, [expected]);
}

#[actix_web::test]
async fn organization_is_found_by_a_closure() {
    let lines = recorded(|audit| {
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
    assert_eq!(lines.await, [expected]);
}

#[actix_web::test]
async fn event_without_a_principal_is_unresolved() {
    let lines = recorded(|audit| audit.principal::<Actor>());
    let expected = "document.delete document:1 succeeded unresolved@org_fallback 127.0.0.1";
    assert_eq!(lines.await, [expected]);
}

async fn accept(audit: Audit) -> HttpResponse {
    audit.set_actor(Actor::user("u9"));
    audit.set_organization("org_9");
    delete().await
}

#[actix_web::test]
async fn handler_overrides_actor_and_organization() {
    let server = TestServer::start(|config| {
        config.route("/accept", web::post().to(accept));
    });
    server.send("POST", "/accept").await;
    let expected = "document.delete document:1 succeeded u9@org_9 127.0.0.1";
    assert_eq!(server.lines().await, [expected]);
}

#[actix_web::test]
async fn response_without_a_scope_explains_the_remedy() {
    let app = actix_web::App::new().route("/accept", web::post().to(accept));
    let app = test::init_service(app).await;
    let request = test::TestRequest::post().uri("/accept").to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.status(), 500);
    let body = test::read_body(response).await;
    let body = String::from_utf8_lossy(&body);
    assert!(
        body.contains(".wrap(AuditMiddleware::new(recorder))"),
        "{body}"
    );
}

#[actix_web::test]
async fn middleware_is_shared_by_all_workers() {
    fn shared<T: Clone + Send + Sync>() {}
    shared::<AuditMiddleware>();
    shared::<audit_actix::AuditRoute>();
}
