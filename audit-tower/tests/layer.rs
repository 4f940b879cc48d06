//! The layer around tower services: actor, context and outcome of each event.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use audit_tower::private::{close, open};
use audit_tower::{
    Actor, ActorKind, AuditLayer, Event, MemorySink, OrganizationId, Outcome, Principal, Recorder,
    Scope, Value,
};
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};

const DELETE: &str = "document.delete";

#[derive(Clone)]
struct CurrentUser(&'static str);

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(self.0).name("Ada")
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_1".into())
    }
}

struct Harness {
    recorder: Recorder,
    sink: MemorySink,
}

impl Harness {
    fn new() -> Self {
        let sink = MemorySink::new();
        Self {
            recorder: Recorder::builder(sink.clone()).build().unwrap(),
            sink,
        }
    }

    fn layer(&self) -> AuditLayer {
        AuditLayer::new(self.recorder.clone()).principal::<CurrentUser>()
    }

    async fn events(&self) -> Vec<Event> {
        self.recorder.flush(Duration::from_secs(5)).await;
        self.sink.events()
    }

    async fn event(&self) -> Event {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1);
        events.remove(0)
    }
}

fn request() -> Request<()> {
    let mut request = Request::delete("/documents/1")
        .header("user-agent", "curl/8")
        .header("x-request-id", "req-7")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(())
        .unwrap();
    request.extensions_mut().insert(CurrentUser("u1"));
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 7], 4711))));
    request
}

/// Records an event with this outcome and returns a response with this status.
async fn audited(outcome: Outcome, status: StatusCode) -> Result<Response<()>, Infallible> {
    let draft = open(DELETE);
    tokio::task::yield_now().await;
    close(draft, outcome);
    let mut response = Response::new(());
    *response.status_mut() = status;
    Ok(response)
}

#[tokio::test]
async fn event_has_actor_and_context_of_the_request() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|_| {
        audited(Outcome::Unknown, StatusCode::NO_CONTENT)
    }));
    service.oneshot(request()).await.unwrap();
    let event = harness.event().await;
    let actor = event.actor().unwrap();
    assert_eq!(
        (actor.kind(), actor.id(), actor.name()),
        (ActorKind::User, "u1", Some("Ada"))
    );
    assert_eq!(
        (event.organization(), event.location()),
        (Some("org_1"), Some("203.0.113.7"))
    );
    assert_eq!(
        (event.user_agent(), event.outcome()),
        (Some("curl/8"), Outcome::Succeeded)
    );
    assert_eq!(event.metadata_value("status"), Some(Value::Integer(204)));
    assert_eq!(
        event.metadata_value("request_id"),
        Some(Value::Text("req-7"))
    );
    assert_eq!(
        event.metadata_value("trace_id"),
        Some(Value::Text("4bf92f3577b34da6a3ce929d0e0e4736"))
    );
}

#[tokio::test]
async fn status_settles_an_outcome_and_never_demotes_a_success() {
    for (outcome, status, settled) in [
        (Outcome::Unknown, StatusCode::NOT_FOUND, Outcome::Failed),
        (Outcome::Failed, StatusCode::FORBIDDEN, Outcome::Denied),
        (
            Outcome::Succeeded,
            StatusCode::BAD_GATEWAY,
            Outcome::Succeeded,
        ),
    ] {
        let harness = Harness::new();
        let service = harness
            .layer()
            .layer(service_fn(move |_| audited(outcome, status)));
        service.oneshot(request()).await.unwrap();
        assert_eq!(
            harness.event().await.outcome(),
            settled,
            "{outcome} {status}"
        );
    }
}

#[tokio::test]
async fn principal_is_found_by_a_closure() {
    let harness = Harness::new();
    let layer = AuditLayer::new(harness.recorder.clone()).principal_with(|request| {
        Some(Actor::service(request.headers["user-agent"].to_str().ok()?))
    });
    let service = layer.layer(service_fn(|_| audited(Outcome::Succeeded, StatusCode::OK)));
    service.oneshot(request()).await.unwrap();
    assert_eq!(harness.event().await.actor().unwrap().id(), "curl/8");
}

#[tokio::test]
async fn inner_service_sets_the_actor_through_the_extensions() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|request: Request<()>| {
        request
            .extensions()
            .get::<Scope>()
            .unwrap()
            .set_principal(&CurrentUser("u2"));
        audited(Outcome::Succeeded, StatusCode::OK)
    }));
    let mut request = request();
    request.extensions_mut().remove::<CurrentUser>();
    service.oneshot(request).await.unwrap();
    assert_eq!(harness.event().await.actor().unwrap().id(), "u2");
}

#[tokio::test]
async fn dropped_request_keeps_ended_events_and_abandons_the_others() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|_| async {
        close(open(DELETE), Outcome::Succeeded);
        let _second = open(DELETE);
        std::future::pending::<Result<Response<()>, Infallible>>().await
    }));
    {
        let mut future = pin!(service.oneshot(request()));
        let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        assert!(first.is_pending());
    }
    let outcomes: Vec<_> = harness.events().await.iter().map(Event::outcome).collect();
    assert_eq!(outcomes, [Outcome::Succeeded, Outcome::Abandoned]);
}

#[tokio::test]
async fn panic_propagates_and_is_recorded() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|_| async {
        let _draft = open(DELETE);
        if true {
            panic!("on purpose");
        }
        Ok::<_, Infallible>(Response::new(()))
    }));
    assert!(
        tokio::spawn(service.oneshot(request()))
            .await
            .unwrap_err()
            .is_panic()
    );
    assert_eq!(harness.event().await.outcome(), Outcome::Panicked);
}

#[tokio::test]
async fn service_error_is_returned_and_ended_events_are_recorded() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|_| async {
        close(open(DELETE), Outcome::Failed);
        Err::<Response<()>, _>("broken")
    }));
    assert_eq!(service.oneshot(request()).await.unwrap_err(), "broken");
    let event = harness.event().await;
    assert_eq!(
        (event.outcome(), event.metadata_value("status")),
        (Outcome::Failed, None)
    );
}

#[tokio::test]
async fn unaudited_request_leaves_no_event() {
    let harness = Harness::new();
    let service = harness.layer().layer(service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(()))
    }));
    service.oneshot(request()).await.unwrap();
    assert!(harness.events().await.is_empty());
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    #[derive(Clone)]
    struct Ready(usize);

    impl Service<Request<()>> for Ready {
        type Response = Response<()>;
        type Error = &'static str;
        type Future = Pin<Box<dyn Future<Output = Result<Response<()>, &'static str>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            self.0 += 1;
            if self.0 < 3 {
                Poll::Pending
            } else {
                Poll::Ready(Err("not today"))
            }
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            panic!("called without being ready")
        }
    }

    let harness = Harness::new();
    let mut service = harness.layer().layer(Ready(0));
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(cx).is_pending());
    assert!(service.poll_ready(cx).is_pending());
    assert_eq!(service.poll_ready(cx), Poll::Ready(Err("not today")));
}
