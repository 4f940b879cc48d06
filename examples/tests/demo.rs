//! The demo: one round with a local server leaves exactly the expected events.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

#[test]
fn round_on_axum_leaves_exactly_the_expected_events() {
    one_round(&[]);
}

#[test]
fn round_on_actix_leaves_the_same_events() {
    one_round(&["--framework", "actix"]);
}

#[test]
fn round_over_grpc_leaves_the_same_events() {
    one_round(&["--framework", "tonic"]);
}

#[test]
fn outage_during_traffic_loses_no_event() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--once", "--outage", "4s"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let output = String::from_utf8(demo.stdout).unwrap();
    let errors = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{output}\n{errors}");
    let last = output.lines().last().unwrap();
    assert!(last.ends_with(", dead 0, lost 0"), "{last}");
    let pending = |phase: &str| {
        let row = output.lines().find(|line| line.starts_with(phase)).unwrap();
        row.split_whitespace()
            .last()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert!(pending("outage") > 10, "{output}");
}

#[test]
fn service_killed_and_restarted_during_an_outage_loses_no_event() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--once", "--outage", "4s", "--restart"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let output = String::from_utf8(demo.stdout).unwrap();
    let errors = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{output}\n{errors}");
    assert!(output.lines().last().unwrap().ends_with(", lost 0"));
    // The second process recovered the events of the first.
    let (_, rest) = output.split_once("recovered ").unwrap();
    let recovered: u64 = rest.split(',').next().unwrap().parse().unwrap();
    assert!(recovered > 10, "{output}");
}

fn one_round(framework: &[&str]) {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--once")
        .args(framework)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let output = String::from_utf8(demo.stdout).unwrap();
    assert!(
        demo.status.success(),
        "{output}\n{}",
        String::from_utf8_lossy(&demo.stderr)
    );
    assert_eq!(
        output.lines().last(),
        Some("accepted 19, delivered 19, dead 0, lost 0")
    );
    assert_eq!(
        output
            .lines()
            .filter(|line| line.starts_with("ok "))
            .count(),
        19
    );
    assert!(
        !output.contains("missing ") && !output.contains("unexpected "),
        "{output}"
    );
    assert!(!output.contains('\u{1b}'), "NO_COLOR is respected");
}
