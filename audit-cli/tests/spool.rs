//! `audited spool` as an operator meets it: the real binary over a real file, while another
//! process, this one, uses it or has left it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_core::testing::FaultSink;
use audit_core::{Event, Fault, MemorySink, Recorder, Spool};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(30);
/// Stands in each event, and must not be seen.
const CONTENT: &str = "Ada's diary";

struct Folder(tempfile::TempDir);

struct Output {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Folder {
    /// With three dead letters; the recorder uses the file until it is shut down.
    async fn with_letters() -> (Self, Recorder) {
        let folder = Self(tempfile::tempdir().unwrap());
        let refusing = FaultSink::new(MemorySink::new())
            .answer_times(3, Fault::rejected("no such\u{1b}[2J action"));
        let recorder = Recorder::builder(refusing)
            .spool(Spool::open(folder.file()).unwrap())
            .build()
            .unwrap();
        for _ in 0..3 {
            recorder.record_durable(event()).await.unwrap();
        }
        recorder.flush(DEADLINE).await;
        // What was asked after the letters is answered after they are written.
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

    /// What a command that does its work prints.
    fn done(&self, args: &[&str]) -> String {
        let Output { code, out, err } = self.run(args);
        assert_eq!((code, &*err), (Some(0), ""), "{args:?}: {out}");
        out
    }

    fn object(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.done(args)).unwrap()
    }

    fn letters(&self) -> Vec<Value> {
        let lines = self.done(&["dead", "--json"]);
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
async fn status_says_what_waits_and_whether_a_service_has_the_file() {
    let (folder, recorder) = Folder::with_letters().await;
    let status = folder.object(&["status", "--json"]);
    assert_eq!(status["in_use"], true);
    assert_eq!(
        (&status["dead"], &status["pending"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(status["oldest"], Value::Null);
    let text = folder.done(&["status"]);
    assert!(
        text.starts_with("audit.spool  layout 1, in use by a service\npending       0"),
        "{text}"
    );
    recorder.shutdown(DEADLINE).await;
    let text = folder.done(&["status"]);
    assert!(text.contains("no service has it open"), "{text}");
    assert!(text.contains("dead letters  3  "), "{text}");
}

#[tokio::test]
async fn dead_names_each_letter_with_its_reason_beside_the_service() {
    let (folder, recorder) = Folder::with_letters().await;
    let kept = recorder.spool().unwrap().dead_letters(0, 10).await.unwrap();
    let letters = folder.letters();
    assert_eq!(letters.len(), 3);
    for (letter, kept) in letters.iter().zip(&kept) {
        assert_eq!(letter["row"], kept.row);
        assert_eq!(letter["id"], kept.event.id().to_string());
        assert_eq!(letter["action"], "document.delete");
        assert_eq!(letter["organization"], "org_a");
        assert_eq!(letter["reason"], kept.fault);
    }
    let text = folder.done(&["dead"]);
    assert!(
        text.contains("no such\u{fffd}[2J action") && text.ends_with("\n3 dead letters\n"),
        "{text}"
    );
}

#[tokio::test]
async fn verify_reads_the_file_beside_the_service_and_fails_where_it_is_damaged() {
    let (folder, recorder) = Folder::with_letters().await;
    let check = folder.object(&["verify", "--json"]);
    assert_eq!(
        (&check["whole"], &check["events"]),
        (&json!(true), &json!(3))
    );
    recorder.shutdown(DEADLINE).await;
    // A byte of each event, which stands in the file as it is, also where it was before it was
    // refused.
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
    assert_eq!(damaged.out, "events read: 0, rows that cannot be read: 3\n");
    assert!(
        damaged
            .err
            .starts_with("error: the spool is damaged\nhelp: "),
        "{}",
        damaged.err
    );
}

#[tokio::test]
async fn purge_forgets_letters_beside_the_service_and_never_unasked() {
    let (folder, recorder) = Folder::with_letters().await;
    let unasked = folder.run(&["purge", "--all"]);
    assert_eq!(unasked.code, Some(2));
    assert!(unasked.err.contains("--yes"), "{}", unasked.err);
    let row = folder.letters()[1]["row"].to_string();
    let purged = folder.object(&["purge", "--json", "--yes", &row, "99"]);
    assert_eq!(purged, json!({ "purged": 1 }));
    assert_eq!(folder.letters().len(), 2);
    // The service goes on, and counts what it finds.
    recorder.record_durable(event()).await.unwrap();
    assert_eq!(
        folder.done(&["purge", "--yes", "--all"]),
        "forgot 2 dead letters\n"
    );
    recorder.shutdown(DEADLINE).await;
    let status = Spool::open(folder.file()).unwrap().status();
    assert_eq!((status.dead, status.dead_bytes), (0, 0));
}

#[tokio::test]
async fn redrive_is_done_by_the_service_that_runs_or_by_the_next_one() {
    let (folder, recorder) = Folder::with_letters().await;
    let row = folder.letters()[0]["row"].to_string();
    let told = folder.done(&["redrive", &row]);
    let asked = "asked the service that has the spool open to send 1 dead letter again; it looks every second\n";
    assert_eq!(told, asked);
    let begun = Instant::now();
    while recorder.stats().delivered < 1 {
        assert!(begun.elapsed() < DEADLINE, "{:?}", recorder.stats());
        tokio::task::yield_now().await;
    }
    assert_eq!(folder.letters().len(), 2);
    recorder.shutdown(DEADLINE).await;

    let row = folder.letters()[0]["row"].to_string();
    assert_eq!(
        folder.object(&["redrive", "--json", &row]),
        json!({ "redriven": 1, "by_service": false })
    );
    let told = folder.done(&["redrive", "--all"]);
    assert_eq!(
        told,
        "made 1 dead letter pending again; the service delivers when it starts\n"
    );
    let status = folder.object(&["status", "--json"]);
    assert_eq!(
        (&status["best_effort"], &status["dead"]),
        (&json!(2), &json!(0))
    );
    let told = folder.done(&["redrive", "--all"]);
    assert_eq!(told, "there are no such dead letters\n");

    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .spool(Spool::open(folder.file()).unwrap())
        .build()
        .unwrap();
    // A flush waits for what this process took, and these came from another.
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
fn what_is_no_spool_is_told_so() {
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
