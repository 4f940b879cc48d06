//! A process killed at a random moment: every durable event that was acknowledged is delivered once
//! by the next process.
#![cfg(all(unix, feature = "spool", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and talks to its child through pipes and the environment"
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
    let spool = PathBuf::from(std::env::var_os(SPOOL).expect("set by the parent"));
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    let builder = Recorder::builder(unavailable).spool(Spool::open(spool).unwrap());
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

/// Runs a child and kills it after this many acknowledgements. Returns all acknowledged ids.
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
        // The last line may be incomplete.
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
async fn fault_12_acknowledged_events_arrive_once_after_a_kill() {
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
    assert_eq!(arrived.len(), events.len(), "no event is delivered twice");
    assert!(arrived.is_superset(&acknowledged));
    // In each round, one event in flight at the kill may have been stored too.
    assert!(arrived.len() <= acknowledged.len() + ROUNDS as usize);
    recorder.shutdown(PATIENCE).await;
}
