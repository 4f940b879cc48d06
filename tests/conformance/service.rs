//! The local server of the tests, its requests and responses.

use std::time::Duration;

use audit_server::{LocalServer, LocalServerBuilder, ManualClock};
use audit_tower::workos::{ApiKey, WorkOs};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// The time an export is pending, by the manual clock.
pub(crate) const EXPORT_DELAY: Duration = Duration::from_secs(60);

/// A local server with the organizations `org_1` and `org_2`, under a manual clock.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) server: LocalServer,
    pub(crate) clock: ManualClock,
    http: reqwest::Client,
}

/// A request to send.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A response, with the method and path of its request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(LocalServerBuilder) -> LocalServerBuilder) -> Self {
        let clock = ManualClock::starting_now();
        let builder = LocalServer::builder()
            .organization("org_1")
            .organization("org_2")
            .clock(clock.clone())
            .export_delay(EXPORT_DELAY);
        Self {
            server: change(builder).start().unwrap(),
            clock,
            http: reqwest::Client::new(),
        }
    }

    /// Returns our client for the server.
    pub(crate) fn client(&self) -> WorkOs {
        let key = ApiKey::new(self.server.api_key()).unwrap();
        let builder = WorkOs::builder(key).base_url(self.server.url());
        builder.build().unwrap()
    }

    /// Returns the official SDK's client for the server.
    pub(crate) fn sdk(&self) -> workos::Client {
        let builder = workos::Client::builder().base_url(self.server.url());
        // The SDK's own retries would hide a response.
        builder
            .api_key(self.server.api_key())
            .max_retries(0)
            .build()
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Call {
        Call {
            method: Method::GET,
            path: path.into(),
            key: Some(self.server.api_key().to_owned()),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn post(&self, path: impl Into<String>, body: &Value) -> Call {
        Call {
            method: Method::POST,
            headers: vec![("content-type", "application/json".to_owned())],
            body: Some(body.to_string().into_bytes()),
            ..self.get(path)
        }
    }

    pub(crate) fn put(&self, path: impl Into<String>, body: &Value) -> Call {
        Call {
            method: Method::PUT,
            ..self.post(path, body)
        }
    }

    pub(crate) async fn send(&self, call: Call) -> Response {
        let url = format!("{}{}", self.server.url(), call.path);
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(key) = call.key {
            request = request.bearer_auth(key);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Response {
            method: call.method,
            path: call.path,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap(),
        }
    }

    /// Registers an action with the target types `team` and `user`.
    pub(crate) async fn register(&self, action: &str) {
        let schema = json!({ "targets": [{ "type": "team" }, { "type": "user" }] });
        let path = format!("/audit_logs/actions/{action}/schemas");
        let response = self.send(self.post(path, &schema)).await;
        assert_eq!(response.status, 201, "{response:?}");
    }

    /// Fetches a URL outside the API, such as an export's file. Returns the status and the text.
    pub(crate) async fn download(&self, url: &str) -> (u16, String) {
        let response = self.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

impl Response {
    /// Returns the string at a pointer in the body.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).unwrap().as_str().unwrap()
    }
}

/// Returns an event that the server accepts once `team.updated` is registered.
pub(crate) fn event() -> Value {
    json!({
        "organization_id": "org_1",
        "event": {
            "action": "team.updated",
            "occurred_at": "2026-02-02T16:35:39.317Z",
            "version": 1,
            "actor": { "id": "user_1", "type": "user", "name": "Jon Smith", "metadata": { "role": "admin" } },
            "targets": [{ "id": "team_1", "type": "team", "name": "Core", "metadata": { "size": 3 } }],
            "context": { "location": "203.0.113.7", "user_agent": "Chrome/104.0.0.0" },
            "metadata": { "plan": "enterprise", "seats": 12, "trial": false }
        }
    })
}

/// Returns the event with one change inside `event`.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = event();
    change(&mut body["event"]);
    body
}

/// Returns a request for an export of February 2026.
pub(crate) fn february() -> Value {
    json!({
        "organization_id": "org_1",
        "range_start": "2026-02-01T00:00:00.000Z",
        "range_end": "2026-03-01T00:00:00.000Z"
    })
}
