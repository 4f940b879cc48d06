//! Actor and organization of an event: the order of the sources, the path, and inner layers.

use audit_tower::{Actor, Audit, AuditLayer, AuditRoute, Principal, Scope, action, record};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::delete;
use axum::{Extension, Router};
use http::StatusCode;
use http::request::Parts;
use tower::{Layer, Service, ServiceExt};

use crate::support::{CurrentUser, Harness, app};

#[derive(Clone)]
struct ServiceAccount;

impl Principal for ServiceAccount {
    fn actor(&self) -> Actor {
        Actor::service("billing")
    }
}

fn audited() -> AuditRoute {
    AuditRoute::new(action!("document.delete"))
}

fn request(path: &str) -> Request {
    Request::delete(path).body(Body::empty()).unwrap()
}

async fn call<S>(app: S, path: &str) -> Response
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
{
    app.oneshot(request(path)).await.unwrap()
}

/// Returns the actor and the organization of the only event.
async fn identity(harness: &Harness) -> (String, Option<String>) {
    let event = harness.event().await;
    let actor = event.actor().unwrap().id().to_owned();
    (actor, event.organization().map(str::to_owned))
}

fn expected(actor: &str, organization: &str) -> (String, Option<String>) {
    (actor.to_owned(), Some(organization.to_owned()))
}

#[tokio::test]
async fn first_principal_that_is_found_is_used() {
    for (user, service, expected) in [
        (true, true, expected("u1", "org_1")),
        (false, true, expected("billing", "org_fallback")),
        (false, false, expected("10.0.0.1", "org_fallback")),
    ] {
        let harness = Harness::new();
        let layer = harness
            .layer()
            .principal::<ServiceAccount>()
            .principal_with(|_| Some(Actor::system().name("unused")))
            .principal_with(|_| Some(Actor::user("unused")));
        let layer = if user || service {
            layer
        } else {
            harness
                .layer()
                .principal_with(|_| Some(Actor::user("10.0.0.1")))
        };
        let mut app = app().layer(layer);
        if user {
            app = app.layer(Extension(CurrentUser("u1")));
        }
        if service {
            app = app.layer(Extension(ServiceAccount));
        }
        call(app, "/attribute/200/42").await;
        assert_eq!(identity(&harness).await, expected);
    }
}

#[tokio::test]
async fn organization_is_read_from_the_path_of_a_matched_route() {
    let routes = || app().nest("/orgs/{org_id}", app());
    type Add = fn(Router, AuditLayer) -> Router;
    let ways: [Add; 4] = [
        |routes, layer| routes.layer(layer),
        |routes, layer| routes.route_layer(layer),
        |routes, layer| Router::new().merge(routes).layer(layer),
        |routes, layer| Router::new().nest("/api", routes).layer(layer),
    ];
    for (index, add) in ways.into_iter().enumerate() {
        let prefix = if index == 3 { "/api" } else { "" };
        for (path, organization) in [
            ("/orgs/org%5F7/route/200/42", "org_7"),
            ("/route/200/42", "org_fallback"),
        ] {
            let harness = Harness::new();
            let layer = harness.bare().organization_from_path("org_id");
            let layer = layer.principal_with(|_| Some(Actor::user("u1")));
            call(add(routes(), layer), &format!("{prefix}{path}")).await;
            assert_eq!(
                identity(&harness).await,
                expected("u1", organization),
                "{index} {path}"
            );
        }
    }
}

#[tokio::test]
async fn layer_around_the_whole_router_finds_no_path_parameter() {
    let harness = Harness::new();
    let layer = harness.bare().organization_from_path("org_id");
    let routes = Router::new().nest("/orgs/{org_id}", app());
    call(layer.layer(routes), "/orgs/org_7/route/200/42").await;
    assert_eq!(harness.event().await.organization(), Some("org_fallback"));
}

#[tokio::test]
async fn innermost_source_of_the_organization_wins() {
    async fn handler(audit: Audit) {
        audit.set_organization("org_deep");
    }
    let deep = || Router::new().route("/{org_id}", delete(handler).layer(audited()));
    let plain = || Router::new().route("/{org_id}", delete(|| async {}).layer(audited()));
    type Configure = fn(AuditLayer) -> AuditLayer;
    let path: Configure = |layer| layer.organization_from_path("org_id");
    let closure_first: Configure = |layer| {
        layer
            .organization_with(|_| Some("org_closure"))
            .organization_from_path("org_id")
    };
    let principal: Configure = |layer| {
        layer
            .organization_from_path("org_id")
            .principal::<CurrentUser>()
    };
    for (routes, configure, expected) in [
        (plain(), path, "org_path"),
        (plain(), closure_first, "org_closure"),
        (plain(), principal, "org_1"),
        (deep(), principal, "org_deep"),
    ] {
        let harness = Harness::new();
        let app = routes
            .layer(configure(harness.bare()))
            .layer(Extension(CurrentUser("u1")));
        call(app, "/org_path").await;
        assert_eq!(harness.event().await.organization(), Some(expected));
    }
}

#[tokio::test]
async fn authentication_inside_the_layer_sets_the_actor() {
    async fn sign_in(audit: Audit, request: Request, next: Next) -> Response {
        audit.set_principal(&CurrentUser("u2"));
        next.run(request).await
    }
    let harness = Harness::new();
    let app = app().layer(from_fn(sign_in)).layer(harness.bare());
    call(app, "/attribute/200/42").await;
    assert_eq!(identity(&harness).await, expected("u2", "org_1"));
}

#[tokio::test]
async fn extractor_of_the_application_sets_the_actor() {
    struct Invited;
    impl<S: Send + Sync> FromRequestParts<S> for Invited {
        type Rejection = audit_tower::NoScope;

        async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
            let audit = <Audit as FromRequestParts<S>>::from_request_parts(parts, state).await?;
            audit.set_actor(Actor::user("invited"));
            Ok(Self)
        }
    }
    async fn handler(_: Invited) {}
    let harness = Harness::new();
    let app = Router::new().route("/", delete(handler).layer(audited()));
    call(app.layer(harness.bare()), "/").await;
    assert_eq!(
        identity(&harness).await,
        expected("invited", "org_fallback")
    );
}

#[tokio::test]
async fn extractor_without_a_layer_takes_the_scope_of_the_task() {
    let harness = Harness::new();
    let app = Router::new().route(
        "/",
        delete(|audit: Audit| async move { audit.set_actor(Actor::user("u3")) }),
    );
    let scope = harness.recorder.scope();
    scope
        .clone()
        .run(async {
            call(app, "/").await;
            record!("document.delete", target(document = 42));
        })
        .await;
    assert_eq!(harness.event().await.actor().unwrap().id(), "u3");
}

#[tokio::test]
async fn response_without_a_scope_explains_the_remedy() {
    let app = Router::new()
        .route("/required", delete(|_: Audit| async {}))
        .route(
            "/optional",
            delete(|audit: Option<Audit>| async move { audit.is_none().to_string() }),
        );
    let response = call(app.clone(), "/required").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert!(
        body.contains("`.layer(AuditLayer::new(recorder))`"),
        "{body}"
    );
    let response = call(app, "/optional").await;
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    assert_eq!(&body[..], b"true");
}

#[tokio::test]
async fn scope_is_carried_into_a_spawned_task() {
    let harness = Harness::new();
    let handler = |audit: Audit| async move {
        let work = async { Scope::current().unwrap().set_actor(Actor::user("u4")) };
        tokio::spawn(audit.into_scope().in_scope(work))
            .await
            .unwrap();
    };
    let app = Router::new().route("/", delete(handler).layer(audited()));
    call(app.layer(harness.bare()), "/").await;
    assert_eq!(harness.event().await.actor().unwrap().id(), "u4");
}
