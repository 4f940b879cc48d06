//! A process that is killed at any moment: every event of which it was told that it is on the disk
//! arrives, once.
#![cfg(all(unix, feature = "spool", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its child says over pipes and the environment what it does"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use audit_core::testing::FaultSink;
use audit_core::{Event, MemorySink, Recorder, Spool};

const SPOOL: &str = "AUDIT_TEST_SPOOL";
const ROUNDS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(30);

fn event() -> Event {
    let event = Event::builder("api_key.revoke").organization("org_1");
    event.build().unwrap()
}

#[tokio::test]
#[ignore = "run by fault_12 as a process of its own, which is killed"]
async fn child_that_is_killed() {
    let spool = PathBuf::from(std::env::var_os(SPOOL).expect("the parent says where"));
    let away = FaultSink::new(MemorySink::new()).hang();
    let builder = Recorder::builder(away).spool(Spool::open(spool).unwrap());
    let recorder = builder.build().unwrap();
    loop {
        let event = event();
        let id = event.id();
        recorder.record_durable(event).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {id}").unwrap();
        out.flush().unwrap();
    }
}

/// The ids that a child acknowledged until it was killed, after at least so many.
fn kill_after(acknowledged: usize, spool: &Path) -> BTreeSet<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(SPOOL, spool)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ids = BTreeSet::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines {
        // The last line may be half a line.
        let Ok(line) = line else { break };
        if let Some((_, id)) = line.split_once("acknowledged ")
            && id.len() == 36
        {
            ids.insert(id.to_owned());
        }
        if ids.len() == acknowledged {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(ids.len() >= acknowledged);
    ids
}

#[tokio::test]
async fn fault_12_whatever_was_acknowledged_before_the_kill_arrives_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    let mut random = fastrand::Rng::with_seed(12);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..ROUNDS {
        acknowledged.extend(kill_after(random.usize(1..200), &path));
    }

    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).unwrap());
    let recorder = builder.build().unwrap();
    while recorder.stats().spooled > 0 {
        recorder.flush(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
    }
    let events = sink.events();
    let arrived: BTreeSet<_> = events.iter().map(|event| event.id().to_string()).collect();
    assert_eq!(arrived.len(), events.len(), "no event comes twice");
    assert!(arrived.is_superset(&acknowledged));
    // One that was on its way when the process was killed may be there as well, in each round.
    assert!(arrived.len() <= acknowledged.len() + ROUNDS as usize);
    recorder.shutdown(PATIENCE).await;
}
