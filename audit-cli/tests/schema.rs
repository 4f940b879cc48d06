//! `audited schema`: the real binary and the local server, over sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use audit_server::LocalServer;
use serde_json::{Value, json};

const BEFORE: &str = r#"
[action."document.delete"]
targets = ["document"]

[action."document.share"]
targets = ["document", "user"]
[action."document.share".metadata]
role = "string"
"#;

/// The catalog after a change: `document.share` has fewer target types and other metadata.
const AFTER: &str = r#"
[action."document.delete"]
targets = ["document"]

[action."document.share"]
targets = ["document"]
[action."document.share".metadata]
role  = "number"
pages = "number?"
"#;

/// A folder with a catalog, and a service.
struct Project {
    folder: tempfile::TempDir,
    server: LocalServer,
    url: String,
}

struct Output {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Project {
    fn new(catalog: &str) -> Self {
        let server = LocalServer::builder()
            .organization("org_a")
            .start()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("audit.toml"), catalog).unwrap();
        let url = server.url().to_owned();
        Self {
            folder,
            server,
            url,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn catalog(&self, text: &str) {
        fs::write(self.path("audit.toml"), text).unwrap();
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("audit.lock")).unwrap_or_default()
    }

    /// Returns the version of an action in `production`, from the lock.
    fn version(&self, action: &str) -> Option<u64> {
        let lock = self.lock();
        let line = lock
            .lines()
            .find(|line| line.starts_with(&format!("\"{action}\"")))?;
        let (_, version) = line.split_once("version = ")?;
        version.split(',').next()?.parse().ok()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
        command
            .arg("schema")
            .args(args)
            .current_dir(self.folder.path())
            .env("WORKOS_API_KEY", self.server.api_key())
            .env("WORKOS_BASE_URL", &self.url)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        for variable in [
            "AUDIT_CATALOG",
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "COLUMNS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.finish(self.command(args))
    }

    fn finish(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        // The port and the folder differ from run to run.
        let text = |bytes| {
            let text = String::from_utf8(bytes).unwrap();
            let folder = fs::canonicalize(self.folder.path()).unwrap();
            text.replace(&self.url, "URL")
                .replace(&format!("{}/", folder.display()), "")
        };
        Output {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn json(&self, args: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(args);
        assert!(output.out.starts_with('{'), "{} {}", output.out, output.err);
        (output.code, serde_json::from_str(&output.out).unwrap())
    }

    /// Sends an event of `document.share`, and returns the status.
    fn event(&self, version: u64, metadata: Value) -> u16 {
        let event = json!({ "organization_id": "org_a", "event": {
            "action": "document.share", "version": version, "occurred_at": "2026-02-02T16:35:39.317Z",
            "actor": { "id": "u", "type": "user" }, "targets": [{ "id": "d", "type": "document" }],
            "context": { "location": "internal" }, "metadata": metadata,
        } });
        let host = self.server.url().strip_prefix("http://").unwrap();
        let body = event.to_string();
        let request = format!(
            "POST /audit_logs/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.server.api_key(),
            body.len()
        );
        let response = exchange(host, request.as_bytes());
        let response = String::from_utf8(response).unwrap();
        response.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn exchange(host: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    response
}

/// Starts a proxy that loses the response to the `lost`th `POST`, and returns its URL.
fn lossy(server: &str, lost: usize) -> String {
    let host = server.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut posts = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            let mut body = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut body).is_err() || head.is_empty() {
                continue;
            }
            // The server closes each connection, which ends the response.
            let first = head.find("\r\n").unwrap() + 2;
            let mut lines: Vec<_> = head[first..].trim_end().lines().collect();
            lines.retain(|line| !line.to_lowercase().starts_with("host:"));
            let request = format!(
                "{}Host: {host}\r\nConnection: close\r\n{}\r\n\r\n",
                &head[..first],
                lines.join("\r\n")
            );
            let response = exchange(&host, &[request.as_bytes(), &body].concat());
            posts += usize::from(head.starts_with("POST"));
            if !head.starts_with("POST") || posts != lost {
                stream.write_all(&response).unwrap();
            }
        }
    });
    url
}

#[test]
fn push_registers_new_schemas_and_check_passes_then() {
    let project = Project::new(BEFORE);
    let check = project.run(&["check"]);
    assert_eq!(check.code, Some(1), "{}", check.err);
    assert!(
        check
            .err
            .contains("run `audited schema push --environment production`"),
        "{}",
        check.err
    );
    let push = project.run(&["push", "--yes"]);
    assert_eq!((push.code, &*push.err), (Some(0), ""), "{}", push.out);
    assert_eq!(push.out, include_str!("schema/push_new.txt"));
    assert_eq!(
        (
            project.version("document.delete"),
            project.version("document.share")
        ),
        (Some(1), Some(1))
    );
    let check = project.run(&["check"]);
    assert_eq!((check.code, &*check.err), (Some(0), ""));
    assert_eq!(check.out, include_str!("schema/check_in_sync.txt"));
    assert_eq!(project.run(&["check", "--offline"]).code, Some(0));

    let lock = project.lock();
    let again = project.run(&["push", "--yes"]);
    assert!(again.out.ends_with("nothing to push\n"), "{}", again.out);
    assert_eq!(
        project.lock(),
        lock,
        "nothing was registered, so the lock is unchanged"
    );
}

#[test]
fn event_with_new_metadata_is_accepted_under_the_new_version_only() {
    let project = Project::new(BEFORE);
    assert_eq!(project.run(&["push", "--yes"]).code, Some(0));
    assert_eq!(project.event(1, json!({ "role": "reader" })), 200);

    project.catalog(AFTER);
    assert_eq!(project.run(&["check", "--offline"]).code, Some(1));
    let diff = project.run(&["diff"]);
    assert_eq!(
        (diff.code, &*diff.out),
        (Some(0), include_str!("schema/diff_changed.txt"))
    );
    let push = project.run(&["push", "--yes"]);
    assert_eq!(
        (push.code, &*push.out),
        (Some(0), include_str!("schema/push_changed.txt"))
    );

    let version = project.version("document.share").unwrap();
    assert_eq!(
        (version, project.version("document.delete")),
        (2, Some(1)),
        "only the changed action has a new version"
    );
    let new = json!({ "role": 3, "pages": 4 });
    assert_eq!(project.event(version, new.clone()), 200);
    assert_eq!(
        project.event(1, new),
        400,
        "the schema of the version is used"
    );
    assert_eq!(project.event(version, json!({ "role": "reader" })), 400);
    assert_eq!(project.run(&["check"]).code, Some(0));
}

#[test]
fn push_with_a_lost_response_continues_and_registers_nothing_twice() {
    let mut project = Project::new(BEFORE);
    let server = project.url.clone();
    project.url = lossy(&server, 2);
    let push = project.run(&["push", "--yes"]);
    assert_eq!(push.code, Some(3), "{}", push.err);
    assert!(
        push.err
            .contains("failed to register `document.share` at URL"),
        "{}",
        push.err
    );
    assert!(
        push.err
            .contains("1 of 2 were registered and are in audit.lock"),
        "{}",
        push.err
    );
    assert_eq!(
        (
            project.version("document.delete"),
            project.version("document.share")
        ),
        (Some(1), None)
    );

    project.url = server;
    let (code, diff) = project.json(&["diff", "--json"]);
    assert_eq!(
        (code, &diff["actions"][1]["state"]),
        (Some(0), &json!("unlocked"))
    );
    let push = project.run(&["push", "--yes"]);
    assert_eq!(push.code, Some(0), "{}", push.err);
    assert!(!push.out.contains("registered document"), "{}", push.out);
    assert_eq!(project.version("document.share"), Some(1));
    assert_eq!(project.run(&["check"]).code, Some(0));
}

#[test]
fn json_output_has_the_same_content() {
    let project = Project::new(BEFORE);
    let (code, push) = project.json(&["push", "--yes", "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        (&push["pushed"][1], &push["catalog_touched"]),
        (
            &json!({ "action": "document.share", "version": 1 }),
            &json!(true)
        )
    );
    project.catalog(AFTER);
    let (code, check) = project.json(&["check", "--json"]);
    assert_eq!((code, &check["in_sync"]), (Some(1), &json!(false)));
    let share = &check["actions"][1];
    assert_eq!(
        (
            &share["state"],
            &share["locked_version"],
            &share["registered_version"]
        ),
        (&json!("changed"), &json!(1), &json!(1))
    );
    let removed = json!({ "kind": "removed", "place": "target user", "before": null, "after": null, "breaking": true });
    assert_eq!(share["changes"][0], removed);
    let retyped = json!({ "kind": "changed", "place": "metadata.role", "before": "string", "after": "number", "breaking": true });
    assert!(
        share["changes"].as_array().unwrap().contains(&retyped),
        "{share}"
    );
}

#[test]
fn dry_run_and_unconfirmed_push_change_nothing() {
    let project = Project::new(BEFORE);
    let dry = project.run(&["push", "--dry-run"]);
    assert_eq!(dry.code, Some(0));
    assert!(dry.out.contains("2 new"), "{}", dry.out);
    let unconfirmed = project.run(&["push"]);
    assert_eq!(unconfirmed.code, Some(2));
    assert!(
        unconfirmed.err.contains("add `--yes`"),
        "{}",
        unconfirmed.err
    );
    assert_eq!(project.lock(), "");
    assert_eq!(
        project.json(&["diff", "--json"]).1["actions"][0]["state"],
        "new"
    );
}

#[test]
fn each_environment_has_its_own_versions() {
    let project = Project::new(BEFORE);
    assert_eq!(project.run(&["push", "--yes"]).code, Some(0));
    assert_eq!(
        project.run(&["check", "--environment", "staging"]).code,
        Some(1)
    );
    assert_eq!(
        project
            .run(&["push", "--yes", "--environment", "staging"])
            .code,
        Some(0)
    );
    let lock = project.lock();
    assert!(
        lock.contains("[environment.production]") && lock.contains("[environment.staging]"),
        "{lock}"
    );
}

#[test]
fn removed_action_is_removed_from_the_lock_and_stays_in_the_service() {
    let project = Project::new(BEFORE);
    assert_eq!(project.run(&["push", "--yes"]).code, Some(0));
    project.catalog("[action.\"document.delete\"]\ntargets = [\"document\"]");
    assert_eq!(project.run(&["check"]).code, Some(1));
    let push = project.run(&["push", "--yes"]);
    assert!(
        push.out.contains("document.share  not in the catalog"),
        "{}",
        push.out
    );
    assert_eq!(project.version("document.share"), None);
    let check = project.run(&["check"]);
    assert_eq!(check.code, Some(0));
    assert!(
        check
            .out
            .contains("1 action of the service is not in this catalog"),
        "{}",
        check.out
    );
}

#[test]
fn mistakes_differ_by_exit_code() {
    let project = Project::new(BEFORE);
    let with = |name: &str, value: &str| {
        let mut command = project.command(&["diff"]);
        command.env(name, value);
        project.finish(command)
    };
    let key = with("WORKOS_API_KEY", "client_canary");
    assert_eq!(key.code, Some(2));
    assert!(
        key.err.contains("does not start with `sk_`") && !key.err.contains("canary"),
        "{}",
        key.err
    );
    let unauthorized = with("WORKOS_API_KEY", "sk_test_canary");
    assert_eq!(unauthorized.code, Some(3));
    assert!(
        unauthorized.err.contains("check that WORKOS_API_KEY")
            && !unauthorized.err.contains("canary"),
        "{}",
        unauthorized.err
    );
    let named = with("AUDIT_CATALOG", "nowhere.toml");
    assert_eq!(named.code, Some(2));
    assert!(named.err.contains("nowhere.toml"), "{}", named.err);
    project.catalog("[action.a]\ntarget = [\"t\"]");
    let broken = project.run(&["check"]);
    assert_eq!(broken.code, Some(2));
    assert!(
        broken.err.contains("audit.toml:2:1: unknown key `target`"),
        "{}",
        broken.err
    );
    fs::remove_file(project.path("audit.toml")).unwrap();
    let missing = project.run(&["diff"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing
            .err
            .contains("there is no audit catalog at audit.toml"),
        "{}",
        missing.err
    );
}

#[test]
fn colors_are_for_terminals_and_on_request() {
    let project = Project::new(BEFORE);
    let coloured = |name: &str| {
        let mut command = project.command(&["diff"]);
        command.env(name, "1");
        project.finish(command).out.contains('\u{1b}')
    };
    assert!(coloured("CLICOLOR_FORCE"));
    assert!(!coloured("NO_COLOR"));
}
