//! A running server and a client for it.

use audit_server::{LocalServer, LocalServerBuilder};
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

pub(crate) const EVENTS: &str = "/audit_logs/events";

/// A server, and a client that talks to it over a real socket.
pub(crate) struct Bench {
    pub(crate) server: LocalServer,
    pub(crate) client: Client,
}

/// The parts of a response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request_id: Option<String>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(LocalServer::builder().organization("org_1"))
    }

    pub(crate) fn with(builder: LocalServerBuilder) -> Self {
        Self {
            server: builder.start().unwrap(),
            client: Client::new(),
        }
    }

    /// A server with the action `team.updated` and the target types `team` and `user`.
    pub(crate) fn with_schema() -> Self {
        let bench = Self::new();
        bench.register(
            "team.updated",
            &json!({ "targets": [{ "type": "team" }, { "type": "user" }] }),
        );
        bench
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        Reply::from(
            self.client
                .get(self.url(path))
                .bearer_auth(self.server.api_key())
                .send()
                .unwrap(),
        )
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::from(self.request(path, body).send().unwrap())
    }

    /// Builds a POST with key and JSON body, to be changed before it is sent.
    pub(crate) fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(self.url(path))
            .bearer_auth(self.server.api_key())
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn send(&self, event: &Value) -> Reply {
        self.post("/audit_logs/events", event)
    }

    pub(crate) fn send_with_key(&self, event: &Value, key: &str) -> Reply {
        Reply::from(
            self.request("/audit_logs/events", event)
                .header("idempotency-key", key)
                .send()
                .unwrap(),
        )
    }

    pub(crate) fn register(&self, action: &str, schema: &Value) -> Value {
        let reply = self.post(&format!("/audit_logs/actions/{action}/schemas"), schema);
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        let request_id = response
            .headers()
            .get("x-request-id")
            .map(|id| id.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let json = response
            .headers()
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let text = response.text().unwrap();
        assert!(json, "{status} is not JSON: {text}");
        Self {
            status,
            body: serde_json::from_str(&text).unwrap(),
            request_id,
        }
    }
}

/// An event that a server [with the schema](Bench::with_schema) accepts.
pub(crate) fn event() -> Value {
    json!({
        "organization_id": "org_1",
        "event": {
            "action": "team.updated",
            "occurred_at": "2026-02-02T16:35:39.317Z",
            "version": 1,
            "actor": { "id": "user_1", "type": "user", "name": "Jon Smith", "metadata": { "role": "admin" } },
            "targets": [{ "id": "team_1", "type": "team", "name": "Core" }],
            "context": { "location": "203.0.113.7", "user_agent": "Chrome/104.0.0.0" },
            "metadata": { "plan": "enterprise", "seats": 12, "trial": false }
        }
    })
}

/// Returns the event after one change inside `event`.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = event();
    change(&mut body["event"]);
    body
}
