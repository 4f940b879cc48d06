//! Delivery to a server that `audited serve` runs.

use std::time::Duration;

use audit_tower::{Recorder, WorkOs, catalog};
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

#[tokio::test]
#[ignore = "needs a server, named by WORKOS_BASE_URL and WORKOS_API_KEY"]
async fn event_reaches_the_server_with_its_schema_version() {
    let recorder = Recorder::builder(WorkOs::from_env().unwrap())
        .catalog(catalog!())
        .environment("local")
        .fallback_organization("org_local")
        .build()
        .unwrap();
    let request = Request::delete("/notes/7").header("x-user", "ada");
    let request = request.body(Body::empty()).unwrap();
    let app = consumer::app(recorder.clone());
    assert!(app.oneshot(request).await.unwrap().status().is_success());

    let report = recorder.shutdown(Duration::from_secs(20)).await;
    assert_eq!(report.delivered, 1, "{report:?}");
}
