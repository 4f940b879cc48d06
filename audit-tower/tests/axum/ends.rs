//! Every way in which a request can end leaves one event, with who, for whom, on what and from
//! where.

use audit_tower::{Outcome, Value};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use tokio::sync::mpsc;
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{FORMS, Harness, OnDrop, app, ask, assert_complete, send, serve, sign_in};

#[tokio::test]
async fn an_answer_decides_by_its_status() {
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
            let answer = ask(serve(app).await, &format!("DELETE /{form}/{status}/42")).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            let event = harness.event().await;
            assert_complete(&event, outcome, &context);
            let recorded = event.metadata_value("status");
            assert_eq!(recorded, Some(Value::Integer(status)), "{context}");
        }
    }
}

#[tokio::test]
async fn a_panic_that_nobody_catches_is_recorded_and_ends_the_connection() {
    for form in FORMS {
        let harness = Harness::new();
        let app = app().layer(harness.layer()).layer(from_fn(sign_in));
        let answer = ask(serve(app).await, &format!("DELETE /{form}/panic/42")).await;
        assert_eq!(answer, "", "{form}");
        assert_complete(&harness.event().await, Outcome::Panicked, form);
    }
}

#[tokio::test]
async fn a_panic_is_one_whichever_side_it_is_caught_on() {
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
            let answer = ask(address, &format!("DELETE /{form}/panic/42")).await;
            assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
            let event = harness.event().await;
            assert_complete(&event, Outcome::Panicked, &context);
            // Outside, nobody tells us what the client got.
            let seen = inside.then_some(Value::Integer(500));
            assert_eq!(event.metadata_value("status"), seen, "{context}");
        }
    }
}

/// Says when a request has got here, and when it is over.
async fn tell(
    signals: mpsc::UnboundedSender<()>,
    request: Request,
    next: Next,
) -> axum::response::Response {
    // Declared first, so dropped after all that runs deeper.
    let signals = OnDrop(signals);
    let mut next = Box::pin(next.run(request));
    std::future::poll_fn(|cx| {
        let polled = next.as_mut().poll(cx);
        // The handler yields once, and has begun by the second time.
        signals.0.send(()).unwrap();
        polled
    })
    .await
}

#[tokio::test]
async fn a_client_that_hangs_up_early_leaves_the_call_as_abandoned() {
    for form in FORMS {
        let harness = Harness::new();
        let (signals, mut signalled) = mpsc::unbounded_channel();
        let tell = move |request, next| tell(signals.clone(), request, next);
        let app = app()
            .layer(harness.layer())
            .layer(from_fn(sign_in))
            .layer(from_fn(tell));
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
