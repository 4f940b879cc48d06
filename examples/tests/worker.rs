//! The worker: each job has its own actor and organization, and leaves no state for the next one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use audit_core::{Event, MemorySink, Recorder};
use examples::worker::{Archive, Message, UNREADABLE, clean_up, consume};
use tokio::sync::{mpsc, oneshot};

struct Harness {
    archive: Archive,
    recorder: Recorder,
    sink: MemorySink,
}

impl Harness {
    fn new() -> Self {
        let sink = MemorySink::new();
        Self {
            archive: Archive::default(),
            recorder: Recorder::builder(sink.clone()).build().unwrap(),
            sink,
        }
    }

    /// Returns actor, organization, target and outcome of each event.
    async fn lines(&self) -> Vec<String> {
        self.recorder.flush(Duration::from_secs(5)).await;
        self.sink.events().iter().map(line).collect()
    }
}

fn line(event: &Event) -> String {
    format!(
        "{} {} {} {}",
        event.actor().unwrap().id(),
        event.organization().unwrap_or("-"),
        event.targets().next().unwrap().id(),
        event.outcome()
    )
}

fn message(member: Option<&str>, organization: &str, document: u32) -> Message {
    Message {
        member: member.map(str::to_owned),
        organization: organization.to_owned(),
        document,
    }
}

#[tokio::test]
async fn job_leaves_no_state_for_the_next_one() {
    let harness = Harness::new();
    for (document, organization) in [
        (1, "org_a"),
        (UNREADABLE, "org_a"),
        (2, "org_b"),
        (3, "org_b"),
    ] {
        harness.archive.add(document, organization, false);
    }
    let (messages, queue) = mpsc::channel(10);
    for message in [
        message(Some("ada"), "org_a", 1),
        message(Some("ben"), "org_a", UNREADABLE),
        message(None, "org_b", 2),
        message(Some("vic"), "org_a", 3),
    ] {
        messages.send(message).await.unwrap();
    }
    drop(messages);
    consume(queue, harness.archive.clone(), harness.recorder.clone()).await;
    let mut lines = harness.lines().await;
    // The copy of a document is deleted concurrently, in its own task.
    lines.sort();
    assert_eq!(
        lines,
        [
            "ada org_a 1 succeeded",
            "ada org_a 1.copy succeeded",
            "ben org_a 13 succeeded",
            "ben org_a 13.copy panicked",
            "unresolved org_b 2 succeeded",
            "unresolved org_b 2.copy succeeded",
            "vic org_a 3 failed",
            "vic org_a 3.copy succeeded",
        ]
    );
}

#[tokio::test]
async fn clean_up_is_the_actor_in_each_organization() {
    let harness = Harness::new();
    harness.archive.add(1, "org_a", true);
    harness.archive.add(2, "org_b", true);
    harness.archive.add(3, "org_b", false);
    let (stop, stopped) = oneshot::channel::<()>();
    let cleaner = tokio::spawn(clean_up(
        harness.archive.clone(),
        Duration::from_secs(3_600),
        harness.recorder.clone(),
        async { drop(stopped.await) },
    ));
    while harness.recorder.stats().accepted < 2 {
        tokio::task::yield_now().await;
    }
    drop(stop);
    cleaner.await.unwrap();
    assert_eq!(
        harness.lines().await,
        ["clean-up org_a 1 succeeded", "clean-up org_b 2 succeeded"]
    );
}

#[test]
fn program_processes_its_input_and_stops_at_its_end() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_worker"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = worker.stdin.take().unwrap();
    input
        .write_all(b"user_ada org_acme 1\nnonsense\nuser_ben org_other 2\n")
        .unwrap();
    drop(input);
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "document.delete clean-up org_acme 19 succeeded",
            "document.delete clean-up org_acme 20 succeeded",
            "document.delete user_ada org_acme 1 succeeded",
            "document.delete user_ada org_acme 1.copy succeeded",
            "document.delete user_ben org_other 2 failed",
            "document.delete user_ben org_other 2.copy succeeded",
        ]
    );
}
