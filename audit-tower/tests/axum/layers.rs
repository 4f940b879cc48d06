//! Other layers inside and outside of the audit layer.

use std::time::Duration;

use audit_tower::{Outcome, Value};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use http::StatusCode;
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

use crate::support::{FORMS, Harness, app, sign_in};

async fn status(app: Router, path: &str) -> StatusCode {
    let request = Request::delete(path).body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap().status()
}

#[tokio::test(start_paused = true)]
async fn timeout_inside_or_outside_leaves_the_call_abandoned() {
    for form in FORMS {
        for inside in [true, false] {
            let context = format!("{form}, inside: {inside}");
            let harness = Harness::new();
            let limit = TimeoutLayer::with_status_code(
                StatusCode::REQUEST_TIMEOUT,
                Duration::from_secs(30),
            );
            let app = if inside {
                app().layer(limit).layer(harness.layer())
            } else {
                app().layer(harness.layer()).layer(limit)
            };
            let status = status(app.layer(from_fn(sign_in)), &format!("/{form}/hang/42")).await;
            assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{context}");
            let event = harness.event().await;
            assert_eq!(event.outcome(), Outcome::Abandoned, "{context}");
            assert_eq!(event.actor().unwrap().id(), "u1", "{context}");
        }
    }
}

#[tokio::test]
async fn failure_that_an_inner_layer_turns_into_403_is_a_denial() {
    for form in FORMS {
        let harness = Harness::new();
        let hide = axum::middleware::map_response(|_: Response| async { StatusCode::FORBIDDEN });
        let app = app().layer(hide).layer(harness.layer());
        status(app, &format!("/{form}/500/42")).await;
        let event = harness.event().await;
        assert_eq!(event.outcome(), Outcome::Denied, "{form}");
        assert_eq!(event.metadata_value("status"), Some(Value::Integer(403)));
    }
}
