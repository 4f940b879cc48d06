//! Every way in which a request can end leaves one event, with actor, organization, target and
//! location.

use audit_tower::{Outcome, Value};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use tokio::sync::mpsc;
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{FORMS, Harness, OnDrop, app, assert_complete, request, send, serve, sign_in};

#[tokio::test]
async fn status_of_the_response_decides_the_outcome() {
    for form in FORMS {
        for (status, outcome) in [
            (200, Outcome::Succeeded),
            (204, Outcome::Succeeded),
            (303, Outcome::Succeeded),
            (401, Outcome::Denied),
            (403, Outcome::Denied),
            (404, Outcome::Failed),
            (422, Outcome::Failed),
            (503, Outcome::Failed),
        ] {
            let context = format!("{form} {status}");
            let harness = Harness::new();
            let app = app().layer(harness.layer()).layer(from_fn(sign_in));
            let response = request(serve(app).await, &format!("DELETE /{form}/{status}/42")).await;
            assert!(
                response.starts_with(&format!("HTTP/1.1 {status} ")),
                "{response}"
            );
            let event = harness.event().await;
            assert_complete(&event, outcome, &context);
            let recorded = event.metadata_value("status");
            assert_eq!(recorded, Some(Value::Integer(status)), "{context}");
        }
    }
}

#[tokio::test]
async fn uncaught_panic_is_recorded_and_closes_the_connection() {
    for form in FORMS {
        let harness = Harness::new();
        let app = app().layer(harness.layer()).layer(from_fn(sign_in));
        let response = request(serve(app).await, &format!("DELETE /{form}/panic/42")).await;
        assert_eq!(response, "", "{form}");
        assert_complete(&harness.event().await, Outcome::Panicked, form);
    }
}

#[tokio::test]
async fn panic_caught_inside_or_outside_is_recorded_as_panicked() {
    for form in FORMS {
        for inside in [true, false] {
            let context = format!("{form}, inside: {inside}");
            let harness = Harness::new();
            let app = if inside {
                app().layer(CatchPanicLayer::new()).layer(harness.layer())
            } else {
                app().layer(harness.layer()).layer(CatchPanicLayer::new())
            };
            let address = serve(app.layer(from_fn(sign_in))).await;
            let response = request(address, &format!("DELETE /{form}/panic/42")).await;
            assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
            let event = harness.event().await;
            assert_complete(&event, Outcome::Panicked, &context);
            // A response of a layer outside is not visible to the audit layer.
            let seen = inside.then_some(Value::Integer(500));
            assert_eq!(event.metadata_value("status"), seen, "{context}");
        }
    }
}

/// Sends a signal for each poll of a request, and one when it is dropped.
async fn signal(
    signals: mpsc::UnboundedSender<()>,
    request: Request,
    next: Next,
) -> axum::response::Response {
    // Declared first, so dropped after the inner future.
    let signals = OnDrop(signals);
    let mut next = Box::pin(next.run(request));
    std::future::poll_fn(|cx| {
        let polled = next.as_mut().poll(cx);
        // The handler yields once, so it has started by the second poll.
        signals.0.send(()).unwrap();
        polled
    })
    .await
}

#[tokio::test]
async fn disconnect_before_the_response_is_abandoned() {
    for form in FORMS {
        let harness = Harness::new();
        let (signals, mut signalled) = mpsc::unbounded_channel();
        let signal = move |request, next| signal(signals.clone(), request, next);
        let app = app()
            .layer(harness.layer())
            .layer(from_fn(sign_in))
            .layer(from_fn(signal));
        let stream = send(serve(app).await, &format!("DELETE /{form}/hang/42"), "").await;
        for _ in 0..2 {
            signalled.recv().await.unwrap();
        }
        assert!(harness.events().await.is_empty(), "{form}");
        drop(stream);
        signalled.recv().await.unwrap();
        assert_complete(&harness.event().await, Outcome::Abandoned, form);
    }
}
