//! `audited serve`: the real binary with real sockets and signals.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};

/// Returns the command without environment variables that change its output.
fn audited(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

/// A server that runs until it is stopped, or until the test ends.
struct Served {
    child: Child,
    /// `None` after the test has closed the output.
    lines: Option<BufReader<ChildStdout>>,
    url: String,
}

impl Served {
    /// Starts the server on a free port, and returns it with the first lines of its output.
    fn start(mut command: Command) -> (Self, String) {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut head = String::new();
        while !head.contains("stops the server.") && !head.contains("\"listening\"") {
            assert_ne!(
                lines.read_line(&mut head).unwrap(),
                0,
                "ended early after: {head}"
            );
        }
        let at = head.find("http://").unwrap();
        let url: String = head[at..]
            .chars()
            .take_while(|c| !c.is_whitespace() && !"\"\u{1b}".contains(*c))
            .collect();
        (
            Self {
                child,
                lines: Some(lines),
                url,
            },
            head,
        )
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(
            self.lines.as_mut().unwrap().read_line(&mut line).unwrap(),
            0,
            "the output ended"
        );
        line
    }

    fn post(&self, path: &str, body: &Value) -> u16 {
        post(&self.url, path, body)
    }

    /// Sends a signal, and returns the exit code and the remaining output.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        if let Some(mut lines) = self.lines.take() {
            lines.read_to_string(&mut rest).unwrap();
        }
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // After a successful test it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a request over a plain socket, since the crate has no HTTP client, and returns the status.
fn post(url: &str, path: &str, body: &Value) -> u16 {
    let host = url.strip_prefix("http://").unwrap();
    let body = body.to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer sk_test_local\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

fn event() -> Value {
    json!({
        "organization_id": "org_local",
        "event": {
            "action": "team.updated",
            "occurred_at": "2026-02-02T16:35:39.317Z",
            "actor": { "id": "user_1", "type": "user", "name": "Jon \u{1b}[31mSmith" },
            "targets": [{ "id": "team_1", "type": "team" }],
            "context": { "location": "203.0.113.7" }
        }
    })
}

fn register(served: &Served) {
    let schema = json!({ "targets": [{ "type": "team" }] });
    assert_eq!(
        served.post("/audit_logs/actions/team.updated/schemas", &schema),
        201
    );
}

fn serve(args: &[&str]) -> Command {
    audited(&[&["serve", "--listen", "127.0.0.1:0"], args].concat())
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn events_are_printed_as_they_arrive_and_counted_at_the_end() {
    let (mut served, head) = Served::start(serve(&[]));
    assert!(
        head.contains(&format!(
            "\nexport WORKOS_API_KEY=sk_test_local\nexport WORKOS_BASE_URL={}\n",
            served.url
        )),
        "{head}"
    );
    assert!(head.contains("organizations  org_local\n"), "{head}");
    register(&served);

    assert_eq!(served.post("/audit_logs/events", &event()), 200);
    let line = served.line();
    let (time, rest) = line.split_once("  ").unwrap();
    assert_eq!(
        (time.len(), &time[2..3], &time[12..]),
        (13, ":", "Z"),
        "{line}"
    );
    assert_eq!(
        rest,
        "accepted  team.updated  user:user_1 (Jon \\u{1b}[31mSmith)  on team:team_1  in org_local\n"
    );

    let mut unknown = event();
    unknown["event"]["action"] = json!("team.udpated");
    unknown["event"]["actor"]["name"] = json!("Jon");
    assert_eq!(served.post("/audit_logs/events", &unknown), 400);
    let line = served.line();
    let expected = "rejected  team.udpated  user:user_1 (Jon)  on team:team_1  in org_local  \
                    400: /action: the action `team.udpated` is not registered; the nearest one is `team.updated`\n";
    assert_eq!(line.split_once("  ").unwrap().1, expected);

    assert_eq!(
        served.stop("-INT"),
        (
            Some(0),
            "stopped: 1 accepted, 1 rejected, 0 duplicates\n".to_owned()
        )
    );
}

#[test]
fn sigterm_stops_the_server() {
    let (served, _) = Served::start(serve(&[]));
    assert_eq!(
        served.stop("-TERM"),
        (
            Some(0),
            "stopped: 0 accepted, 0 rejected, 0 duplicates\n".to_owned()
        )
    );
}

#[test]
fn json_output_is_one_object_per_line() {
    let (mut served, head) = Served::start(serve(&[
        "--json",
        "--organization",
        "org_local",
        "--organization",
        "org_2",
    ]));
    let head: Value = serde_json::from_str(&head).unwrap();
    let expected = json!({
        "type": "listening", "url": served.url, "api_key": "sk_test_local", "organizations": ["org_local", "org_2"], "data": null
    });
    assert_eq!(head, expected);
    register(&served);
    assert_eq!(served.post("/audit_logs/events", &event()), 200);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(
        (&line["type"], &line["stored"]["status"]),
        (&json!("event"), &json!("accepted"))
    );
    assert_eq!(line["stored"]["event"], event()["event"]);
    let (code, rest) = served.stop("-INT");
    let stopped: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!(
        (code, stopped),
        (
            Some(0),
            json!({ "type": "stopped", "accepted": 1, "rejected": 0, "duplicates": 0 })
        )
    );
}

#[test]
fn counts_are_those_of_this_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.db");
    let args = ["--data", file.to_str().unwrap()];
    let (mut served, head) = Served::start(serve(&args));
    assert!(
        head.contains(&format!("data           {}\n", file.display())),
        "{head}"
    );
    register(&served);
    assert_eq!(served.post("/audit_logs/events", &event()), 200);
    served.line();
    assert_eq!(
        served.stop("-INT").1,
        "stopped: 1 accepted, 0 rejected, 0 duplicates\n"
    );
    let (mut served, _) = Served::start(serve(&args));
    assert_eq!(
        served.post("/audit_logs/events", &event()),
        200,
        "the schema is in the file"
    );
    served.line();
    assert_eq!(
        served.stop("-INT").1,
        "stopped: 1 accepted, 0 rejected, 0 duplicates\n"
    );
}

#[test]
fn colors_are_for_terminals_and_on_request() {
    let (served, head) = Served::start(serve(&[]));
    assert!(!head.contains('\u{1b}'), "{head:?}");
    drop(served);
    let mut forced = serve(&[]);
    forced.env("CLICOLOR_FORCE", "1");
    let (served, head) = Served::start(forced);
    assert!(head.contains('\u{1b}'), "{head:?}");
    drop(served);
    let mut without_color = serve(&[]);
    without_color.env("NO_COLOR", "1");
    let (_served, head) = Served::start(without_color);
    assert!(!head.contains('\u{1b}'), "{head:?}");
}

#[test]
fn closed_output_does_not_stop_the_server() {
    let (mut served, _) = Served::start(serve(&[]));
    drop(served.lines.take());
    for _ in 0..3 {
        assert_eq!(served.post("/audit_logs/events", &event()), 400);
    }
    assert_eq!(served.stop("-TERM").0, Some(0));
}

#[test]
fn port_in_use_is_an_error_with_a_help_line() {
    let (served, _) = Served::start(serve(&[]));
    let address = served.url.strip_prefix("http://").unwrap().to_owned();
    let output = audited(&["serve", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "error: failed to listen on {address}: another program uses this address\n\
         help: stop that program, or select a free port with `--listen 127.0.0.1:0`\n"
    );
    assert_eq!(stderr(&output), expected);
    assert!(output.stdout.is_empty());
}

#[test]
fn file_that_is_no_database_is_an_error_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "these are my notes, and no database at all").unwrap();
    let output = serve(&["--data", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("error: failed to open the database `"),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("\nhelp: choose a file"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "these are my notes, and no database at all"
    );
}

#[test]
fn invalid_arguments_have_exit_code_2() {
    let cases: [&[&str]; 7] = [
        &[],
        &["server"],
        &["serve", "--port", "1"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--listen", "0.0.0.0:0"],
        &["serve", "--listen", "127.0.0.1:0", "--api-key", "pk_1"],
        &["serve", "--listen", "127.0.0.1:0", "--organization", "acme"],
    ];
    for args in cases {
        let output = audited(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            !stderr(&output).is_empty() && output.stdout.is_empty(),
            "{args:?}"
        );
        assert!(!stderr(&output).contains("pk_1"), "a key is not repeated");
    }
}
