//! `audited spool`: the real binary on a real file, while another process (this one) has it open,
//! and after that.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_core::testing::FaultSink;
use audit_core::{Event, Fault, MemorySink, Recorder, Spool};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(30);
/// Content of each event, which must not be printed.
const CONTENT: &str = "Ada's diary";

struct Folder(tempfile::TempDir);

struct Output {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Folder {
    /// Creates a spool with three dead letters. The recorder has it open until it is shut down.
    async fn with_dead_letters() -> (Self, Recorder) {
        let folder = Self(tempfile::tempdir().unwrap());
        let rejecting = FaultSink::new(MemorySink::new())
            .fault_times(3, Fault::rejected("no such\u{1b}[2J action"));
        let recorder = Recorder::builder(rejecting)
            .spool(Spool::open(folder.file()).unwrap())
            .build()
            .unwrap();
        for _ in 0..3 {
            recorder.record_durable(event()).await.unwrap();
        }
        recorder.flush(DEADLINE).await;
        // Read until the dead letters are written.
        let spool = recorder.spool().unwrap();
        while spool.dead_letters(0, 10).await.unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        (folder, recorder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("audit.spool")
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audited"));
        command
            .args(["spool", args[0], "--spool", "audit.spool"])
            .args(&args[1..])
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        let output = Output {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!output.out.contains(CONTENT), "{}", output.out);
        output
    }

    /// Runs a command that succeeds, and returns its output.
    fn succeed(&self, args: &[&str]) -> String {
        let Output { code, out, err } = self.run(args);
        assert_eq!((code, &*err), (Some(0), ""), "{args:?}: {out}");
        out
    }

    fn object(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.succeed(args)).unwrap()
    }

    fn dead_letters(&self) -> Vec<Value> {
        let lines = self.succeed(&["dead", "--json"]);
        let lines = lines.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

fn event() -> Event {
    Event::builder("document.delete")
        .organization("org_a")
        .metadata("title", CONTENT)
        .build()
        .unwrap()
}

#[tokio::test]
async fn status_prints_counts_and_use_of_the_file() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    let status = folder.object(&["status", "--json"]);
    assert_eq!(status["in_use"], true);
    assert_eq!(
        (&status["dead"], &status["pending"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(status["oldest"], Value::Null);
    let text = folder.succeed(&["status"]);
    assert!(
        text.starts_with("audit.spool  layout 1, in use by a service\npending       0"),
        "{text}"
    );
    recorder.shutdown(DEADLINE).await;
    let text = folder.succeed(&["status"]);
    assert!(text.contains("not in use"), "{text}");
    assert!(text.contains("dead letters  3  "), "{text}");
}

#[tokio::test]
async fn status_reports_a_loss_whose_number_is_unknown() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    recorder.shutdown(DEADLINE).await;
    let mut bytes = std::fs::read(folder.file()).unwrap();
    bytes.fill(0);
    std::fs::write(folder.file(), bytes).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    let text = folder.succeed(&["status"]);
    assert!(
        text.contains("\nan unknown number of events was lost"),
        "{text}"
    );
    let status = folder.object(&["status", "--json"]);
    assert_eq!(
        (&status["lost"], &status["is_loss_unknown"]),
        (&json!(0), &json!(true))
    );
    spool.close().await;
}

#[tokio::test]
async fn dead_lists_dead_letters_with_their_reason_while_the_service_runs() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    let kept = recorder.spool().unwrap().dead_letters(0, 10).await.unwrap();
    let dead_letters = folder.dead_letters();
    assert_eq!(dead_letters.len(), 3);
    for (listed, kept) in dead_letters.iter().zip(&kept) {
        assert_eq!(listed["row"], kept.row);
        assert_eq!(listed["id"], kept.event.id().to_string());
        assert_eq!(listed["action"], "document.delete");
        assert_eq!(listed["organization"], "org_a");
        assert_eq!(listed["reason"], kept.fault);
    }
    let text = folder.succeed(&["dead"]);
    assert!(
        text.contains("no such\u{fffd}[2J action") && text.ends_with("\n3 dead letters\n"),
        "{text}"
    );
}

#[tokio::test]
async fn verify_runs_beside_the_service_and_fails_on_corruption() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    let check = folder.object(&["verify", "--json"]);
    assert_eq!(
        (&check["intact"], &check["events"]),
        (&json!(true), &json!(3))
    );
    recorder.shutdown(DEADLINE).await;
    // Corrupts one byte of each event. Its content is in the file as it is, also in the pages of
    // the pending row before the rejection.
    let mut bytes = std::fs::read(folder.file()).unwrap();
    let places: Vec<_> = bytes
        .windows(CONTENT.len())
        .enumerate()
        .filter(|(_, window)| *window == CONTENT.as_bytes())
        .map(|(at, _)| at)
        .collect();
    places.into_iter().for_each(|at| bytes[at] ^= 1);
    std::fs::write(folder.file(), bytes).unwrap();
    let damaged = folder.run(&["verify"]);
    assert_eq!(damaged.code, Some(1));
    assert_eq!(damaged.out, "events read: 0, unreadable rows: 3\n");
    assert!(
        damaged
            .err
            .starts_with("error: the spool is corrupt\nhelp: "),
        "{}",
        damaged.err
    );
}

#[tokio::test]
async fn purge_deletes_dead_letters_beside_the_service_and_only_when_confirmed() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    let unconfirmed = folder.run(&["purge", "--all"]);
    assert_eq!(unconfirmed.code, Some(2));
    assert!(unconfirmed.err.contains("--yes"), "{}", unconfirmed.err);
    let row = folder.dead_letters()[1]["row"].to_string();
    let purged = folder.object(&["purge", "--json", "--yes", &row, "99"]);
    assert_eq!(purged, json!({ "purged": 1 }));
    assert_eq!(folder.dead_letters().len(), 2);
    // The service continues, and counts what is in the file.
    recorder.record_durable(event()).await.unwrap();
    assert_eq!(
        folder.succeed(&["purge", "--yes", "--all"]),
        "deleted 2 dead letters\n"
    );
    recorder.shutdown(DEADLINE).await;
    let status = Spool::open(folder.file()).unwrap().status();
    assert_eq!((status.dead, status.dead_bytes), (0, 0));
}

#[tokio::test]
async fn redrive_is_done_by_the_running_service_or_at_its_next_start() {
    let (folder, recorder) = Folder::with_dead_letters().await;
    let row = folder.dead_letters()[0]["row"].to_string();
    let printed = folder.succeed(&["redrive", &row]);
    let expected = "requested the running service to send 1 dead letter again; it checks for requests every second\n";
    assert_eq!(printed, expected);
    let begun = Instant::now();
    while recorder.stats().delivered < 1 {
        assert!(begun.elapsed() < DEADLINE, "{:?}", recorder.stats());
        tokio::task::yield_now().await;
    }
    assert_eq!(folder.dead_letters().len(), 2);
    recorder.shutdown(DEADLINE).await;

    let row = folder.dead_letters()[0]["row"].to_string();
    assert_eq!(
        folder.object(&["redrive", "--json", &row]),
        json!({ "redriven": 1, "by_service": false })
    );
    let printed = folder.succeed(&["redrive", "--all"]);
    assert_eq!(
        printed,
        "marked 1 dead letter as pending; the service delivers them at its next start\n"
    );
    let status = folder.object(&["status", "--json"]);
    assert_eq!(
        (&status["best_effort"], &status["dead"]),
        (&json!(2), &json!(0))
    );
    let printed = folder.succeed(&["redrive", "--all"]);
    assert_eq!(printed, "no such dead letters\n");

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .spool(Spool::open(folder.file()).unwrap())
        .build()
        .unwrap();
    // A flush waits for the events of this process, and these are recovered.
    let begun = Instant::now();
    while sink.events().len() < 2 {
        assert!(begun.elapsed() < DEADLINE, "{:?}", recorder.stats());
        tokio::task::yield_now().await;
    }
    recorder.shutdown(DEADLINE).await;
    assert!(
        sink.events()
            .iter()
            .all(|event| event.organization() == Some("org_a"))
    );
}

#[test]
fn missing_or_foreign_file_is_an_error() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let missing = folder.run(&["status"]);
    assert_eq!(missing.code, Some(3));
    assert!(
        missing
            .err
            .starts_with("error: failed to find the spool audit.spool: "),
        "{}",
        missing.err
    );
    assert!(!folder.file().exists());
    std::fs::write(folder.file(), "text, and no database at all").unwrap();
    assert_eq!(folder.run(&["verify"]).code, Some(3));
    assert_eq!(folder.run(&["redrive"]).code, Some(2));
}
