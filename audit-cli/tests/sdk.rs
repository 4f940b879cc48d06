//! The official Rust SDK as a client of the real binary `audited serve`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use workos::audit_logs::{CreateEventParams, CreateSchemaParams};
use workos::{Client, RequestOptions};

/// The server, which is stopped at the end of the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts the server on a free port, and returns its URL and the lines of its output.
fn serve() -> (Served, String, impl Iterator<Item = Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--organization",
        "org_sdk",
    ]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let head = lines.next().unwrap();
    let url = head["url"].as_str().unwrap().to_owned();
    (Served(child), url, lines)
}

#[tokio::test]
async fn event_of_the_sdk_is_stored_once_per_key() {
    let (_served, url, mut lines) = serve();
    let client = Client::builder()
        .api_key("sk_test_local")
        .base_url(url)
        .build();
    let schema = json!({ "targets": [{ "type": "document" }] });
    let schema = CreateSchemaParams::new(serde_json::from_value(schema).unwrap());
    client
        .audit_logs()
        .create_schema("document.delete", schema)
        .await
        .unwrap();

    let event = json!({
        "organization_id": "org_sdk",
        "event": {
            "action": "document.delete",
            "occurred_at": "2026-11-22T10:00:00.000Z",
            "actor": { "id": "u1", "type": "user" },
            "targets": [{ "id": "42", "type": "document" }],
            "context": { "location": "203.0.113.7" }
        }
    });
    let params = || CreateEventParams::new(serde_json::from_value(event.clone()).unwrap());
    for key in ["first", "first", "second"] {
        let options = RequestOptions::new().idempotency_key(key);
        let response = client
            .audit_logs()
            .create_event_with_options(params(), Some(&options))
            .await;
        assert!(response.unwrap().success);
    }
    for key in ["first", "second"] {
        let shown = lines.next().unwrap();
        assert_eq!(
            shown["stored"]["idempotency_key"], key,
            "two requests with one key are one event: {shown}"
        );
        assert_eq!(shown["stored"]["event"], event["event"]);
    }
}
