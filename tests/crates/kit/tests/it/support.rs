//! The service over a real socket.

use audit_tests_kit::app;
use audit_tower::testing::Capture;
use audit_tower::web::OnUnaudited;
use reqwest::{Client, Method, StatusCode};

/// Serves the service, sends these requests, each a method and a path, and returns the statuses of
/// the responses.
pub(crate) async fn call(capture: &Capture, calls: &[(&str, &str)]) -> Vec<StatusCode> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(capture.recorder(), OnUnaudited::Ignore);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let client = Client::new();
    let mut statuses = Vec::new();
    for (method, path) in calls {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = client.request(method, format!("http://{address}{path}"));
        let response = request.header("x-user", "ada").send().await.unwrap();
        statuses.push(response.status());
    }
    server.abort();
    statuses
}
