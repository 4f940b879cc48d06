//! The demo itself: one round against a local server leaves exactly the events that it must.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

#[test]
fn one_round_on_axum_leaves_exactly_its_events_and_loses_none() {
    one_round(&[]);
}

#[test]
fn the_same_round_on_actix_leaves_the_same_events() {
    one_round(&["--framework", "actix"]);
}

#[test]
fn the_same_round_over_grpc_leaves_the_same_events() {
    one_round(&["--framework", "tonic"]);
}

#[test]
fn an_outage_in_the_middle_of_traffic_loses_nothing() {
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
    let waiting = |phase: &str| {
        let row = output.lines().find(|line| line.starts_with(phase)).unwrap();
        row.split_whitespace()
            .last()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert!(waiting("outage") > 10, "{output}");
}

#[test]
fn a_service_that_is_killed_in_an_outage_and_started_again_loses_nothing() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--once", "--outage", "4s", "--restart"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let output = String::from_utf8(demo.stdout).unwrap();
    let errors = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{output}\n{errors}");
    assert!(output.lines().last().unwrap().ends_with(", lost 0"));
    // What the first process left was found by the second.
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
