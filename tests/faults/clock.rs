//! Wall-clock changes while events are pending.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use audit_server::LocalServer;
use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{Event, MemorySink, Recorder};

use crate::process::{PATIENCE, child, setting};
use crate::support::event_of;

/// The variable with the path of the file that offsets a child's clock.
const CLOCK: &str = "AUDIT_TEST_CLOCK";
const HOUR: Duration = Duration::from_secs(3_600);

/// Sets the offset of this process's wall clock, in seconds.
fn set(seconds: i64) {
    std::fs::write(setting(CLOCK), seconds.to_string()).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the wall clock is what is tested"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// Creates an event; returns it with the wall clock right before and after.
fn event() -> (Event, [SystemTime; 2]) {
    let before = wall_clock() - Duration::from_millis(1);
    let event = event_of("org_1");
    (event, [before, wall_clock()])
}

#[test]
#[ignore = "run by fault_34 as a process of its own, under a clock that can be set"]
fn child_with_changing_clock() {
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
    // Forward, far back, and to the latest time of the wire format.
    for seconds in [0, 3_600, -7_200, 251_000_000_000] {
        set(seconds);
        let (event, at) = event();
        recorded.push((event.id(), at));
        recorder.record(event).unwrap();
    }
    pollster::block_on(sink.wait_for_attempts(1));
    // Retries are scheduled by the monotonic clock.
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
            "{at:?} differs from the clock at recording"
        );
    }
}

/// Compiles the library that offsets a process's clock.
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
fn fault_34_clock_change_alters_no_event_and_stops_no_delivery() {
    let folder = std::env::temp_dir().join(format!("audit-clock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let clock = folder.join("seconds");
    std::fs::write(&clock, "0").unwrap();
    let server = LocalServer::start().unwrap();
    let status = child("clock::child_with_changing_clock", &server)
        .env("LD_PRELOAD", movable_clock(&folder))
        .env(CLOCK, &clock)
        .status();
    assert!(status.unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}
