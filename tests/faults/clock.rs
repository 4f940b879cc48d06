//! A wall clock that is set while events wait.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use audit_server::LocalServer;
use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{Event, MemorySink, Recorder};

use crate::process::{PATIENCE, child, told};
use crate::support::event_of;

/// Where a child's clock is set.
const CLOCK: &str = "AUDIT_TEST_CLOCK";
const HOUR: Duration = Duration::from_secs(3_600);

/// Sets the wall clock of this process, in seconds from the true time.
fn set(seconds: i64) {
    std::fs::write(told(CLOCK), seconds.to_string()).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the wall clock is what is tested"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// An event, and the wall clock right before and after it.
fn event() -> (Event, [SystemTime; 2]) {
    let before = wall_clock() - Duration::from_millis(1);
    let event = event_of("org_1");
    (event, [before, wall_clock()])
}

#[test]
#[ignore = "run by fault_34 as a process of its own, under a clock that can be set"]
fn child_whose_clock_is_set() {
    let begun = wall_clock();
    set(3_600);
    assert!(
        wall_clock() > begun + HOUR - Duration::from_secs(60),
        "the clock cannot be set"
    );
    set(0);

    let sink = FaultSink::new(MemorySink::new()).hang();
    let recorder = Recorder::builder(sink.clone()).build().unwrap();
    let mut recorded = Vec::new();
    // Forward, far back, and to the end of what the wire format can say.
    for seconds in [0, 3_600, -7_200, 251_000_000_000] {
        set(seconds);
        let (event, at) = event();
        recorded.push((event.id(), at));
        recorder.record(event).unwrap();
    }
    pollster::block_on(sink.wait_for_attempts(1));
    // The repetitions that follow wait for a time that is not the wall clock's.
    set(-7_200);
    sink.recover();
    assert!(recorder.flush_blocking(PATIENCE).is_complete());
    assert_balanced(&recorder);
    let delivered = sink.inner().events();
    assert_eq!(delivered.len(), recorded.len());
    for (id, [before, after]) in recorded {
        let event = delivered.iter().find(|event| event.id() == id).unwrap();
        let at = event.occurred_at();
        assert!(
            before <= at && at <= after,
            "{at:?} is not what the clock said"
        );
    }
}

/// Compiles what moves a process's clock.
fn movable_clock(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/faults/clock.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library);
    let compiled = compiler.arg(source).status();
    let remedy = "a C compiler is needed: apt-get install gcc libc6-dev";
    assert!(compiled.expect(remedy).success(), "{remedy}");
    library
}

#[test]
fn fault_34_a_clock_that_is_set_changes_no_event_and_stops_no_delivery() {
    let folder = std::env::temp_dir().join(format!("audit-clock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let clock = folder.join("seconds");
    std::fs::write(&clock, "0").unwrap();
    let server = LocalServer::start().unwrap();
    let status = child("clock::child_whose_clock_is_set", &server)
        .env("LD_PRELOAD", movable_clock(&folder))
        .env(CLOCK, &clock)
        .status();
    assert!(status.unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}
