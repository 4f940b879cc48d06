//! Other layers around and inside ours.

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
async fn a_time_limit_abandons_the_call_whichever_side_it_is_on() {
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
            let answer = status(app.layer(from_fn(sign_in)), &format!("/{form}/hang/42")).await;
            assert_eq!(answer, StatusCode::REQUEST_TIMEOUT, "{context}");
            let event = harness.event().await;
            assert_eq!(event.outcome(), Outcome::Abandoned, "{context}");
            assert_eq!(event.actor().unwrap().id(), "u1", "{context}");
        }
    }
}

#[tokio::test]
async fn a_failure_that_a_layer_inside_answers_with_403_is_a_denial() {
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
