//! The official Node SDK as a client of the real binary `audited serve`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The server, which is stopped at the end of the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve() -> (Served, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_audited"))
        .args(["serve", "--listen", "127.0.0.1:0", "--json"])
        .args(["--api-key", "sk_test_x"])
        .args(["--organization", "org_a", "--organization", "org_b"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut head = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    lines.read_line(&mut head).unwrap();
    let head: Value = serde_json::from_str(&head).unwrap();
    // Reads the rest, since a full pipe would block the server.
    std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
    (Served(child), head["url"].as_str().unwrap().to_owned())
}

/// Runs a program. If it is missing, the panic explains how to install it.
fn run(command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!("failed to run {name}: {error}; `cargo xtask test` installs it or explains how: apt-get install nodejs npm")
    });
    assert!(
        output.status.success(),
        "{name} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Installs the SDK of the lock file's version, and returns the folder with the script.
fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sdk-node");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-node");
    fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json", "story.mjs"] {
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    // The SDK declares a newer Node than Debian has, but works with it.
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--engine-strict=false"])
        .current_dir(&folder));
    folder
}

#[test]
fn server_implements_every_method_of_the_node_sdk() {
    let folder = installed();
    let (_served, url) = serve();
    let output = run(Command::new("node")
        .args(["story.mjs", &url, "sk_test_x", "org_a", "org_b"])
        .current_dir(&folder));
    let steps: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let step = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap();

    assert_eq!(step("schema")["version"], 1);
    assert_eq!(step("schema")["targets"][0]["type"], "document");
    assert_eq!(step("refused")["refused"]["status"], 400);

    let export = step("export");
    assert_eq!(
        (&export["first"], &export["last"], &export["id"]),
        (&json!("pending"), &json!("ready"), &json!(true))
    );
    let file = step("file");
    assert_eq!(file["status"], 200);
    assert!(file["type"].as_str().unwrap().starts_with("text/csv"));
    let csv = file["csv"].as_str().unwrap();
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(
        rows.len(),
        2,
        "one key is one event, and events of the other organization are not included: {csv}"
    );
    assert!(
        rows[1].contains("doc_1") && rows[1].contains("Ada"),
        "{csv}"
    );
    let formula = |cell: &str| cell.trim_start_matches('"').starts_with('=');
    assert!(!rows[1].split(',').any(formula), "{csv}");

    let retention = step("retention");
    assert_eq!(retention["after"]["retentionPeriodInDays"], 90);
    assert_eq!(retention["read"]["retentionPeriodInDays"], 90);
    assert_eq!(step("schemas")["versions"], json!([1]));
}
