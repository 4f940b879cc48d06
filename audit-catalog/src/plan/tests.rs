//! Tests of the plan against all combinations of lock and service.

use std::num::NonZeroU32;

use serde_json::json;

use super::plan::{Plan, PlanState};
use super::remote::{Remote, RemoteSchema};
use super::schema_diff::SchemaChange;
use crate::fingerprint::Fingerprint;
use crate::lock::Lock;
use crate::model::Catalog;

const ENVIRONMENT: &str = "production";

fn catalog() -> Catalog {
    Catalog::parse("[action.a]\ntargets = [\"t\"]", "audit.toml").unwrap()
}

fn version(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn ours(number: u32) -> RemoteSchema {
    let schema = catalog().action("a").unwrap().wire_schema();
    RemoteSchema::new(version(number), schema)
}

fn other(number: u32) -> RemoteSchema {
    RemoteSchema::new(version(number), json!({ "targets": [{ "type": "u" }] }))
}

fn lock(number: u32) -> Lock {
    let mut lock = Lock::default();
    let fingerprint = catalog().action("a").unwrap().fingerprint();
    lock.set(ENVIRONMENT, "a", version(number), fingerprint);
    lock
}

fn plan(lock: &Lock, versions: Vec<RemoteSchema>) -> Plan {
    let mut remote = Remote::new();
    if !versions.is_empty() {
        remote.insert("a", versions);
    }
    Plan::new(&catalog(), lock, ENVIRONMENT, &remote)
}

fn state(lock: &Lock, versions: Vec<RemoteSchema>) -> (PlanState, Option<u32>) {
    let plan = plan(lock, versions);
    let action = &plan.actions()[0];
    (action.state(), action.registered().map(NonZeroU32::get))
}

#[test]
fn every_combination_of_lock_and_service_is_one_of_four_states() {
    let none = Lock::default();
    assert_eq!(state(&none, vec![]), (PlanState::New, None));
    assert_eq!(state(&none, vec![ours(1)]), (PlanState::Unlocked, Some(1)));
    assert_eq!(state(&none, vec![other(1)]), (PlanState::Changed, Some(1)));
    assert_eq!(state(&lock(1), vec![ours(1)]), (PlanState::InSync, Some(1)));
    assert_eq!(
        state(&lock(2), vec![ours(1), other(2)]),
        (PlanState::Unlocked, Some(1))
    );
    // The service was reset.
    assert_eq!(state(&lock(1), vec![]), (PlanState::New, None));
    // Another client registered another schema: the locked version is still valid.
    assert_eq!(
        state(&lock(1), vec![other(2), ours(1)]),
        (PlanState::InSync, Some(1))
    );
    // Of two equal schemas, the locked one is used, otherwise the newest.
    assert_eq!(
        state(&lock(1), vec![ours(2), ours(1)]),
        (PlanState::InSync, Some(1))
    );
    assert_eq!(
        state(&none, vec![ours(2), ours(1)]),
        (PlanState::Unlocked, Some(2))
    );
}

#[test]
fn a_change_is_shown_against_the_newest_version() {
    let plan = plan(&lock(1), vec![other(3), other(2)]);
    let changes: Vec<_> = plan.actions()[0]
        .changes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(changes[..2], ["+ target t", "- target u"]);
    assert!(
        changes
            .iter()
            .any(|change| change == "+ metadata.outcome: string"),
        "{changes:?}"
    );
}

#[test]
fn a_new_action_shows_its_whole_schema() {
    let plan = plan(&Lock::default(), vec![]);
    let changes = plan.actions()[0].changes();
    assert_eq!(changes[0].to_string(), "+ target t");
    assert!(!changes.iter().any(SchemaChange::is_breaking));
}

#[test]
fn update_lock_adds_registered_versions_and_removes_stale_actions() {
    let mut lock = Lock::default();
    lock.set(
        ENVIRONMENT,
        "gone",
        version(4),
        Fingerprint::from_bytes([0; 32]),
    );
    lock.set(
        "staging",
        "gone",
        version(1),
        Fingerprint::from_bytes([0; 32]),
    );
    let plan = plan(&lock, vec![ours(7)]);
    assert_eq!(
        (plan.stale(), plan.is_in_sync()),
        (&["gone".to_owned()][..], false)
    );
    assert!(plan.update_lock(&mut lock));
    assert_eq!(lock.version(ENVIRONMENT, "a"), Some(version(7)));
    assert_eq!(lock.version(ENVIRONMENT, "gone"), None);
    assert_eq!(lock.version("staging", "gone"), Some(version(1)));
    assert!(
        !plan.update_lock(&mut lock),
        "a second time changes nothing"
    );
}

#[test]
fn an_action_outside_the_catalog_is_no_drift() {
    let mut remote = Remote::new();
    remote.insert("session.created", []);
    remote.insert("a", [ours(1)]);
    let plan = Plan::new(&catalog(), &lock(1), ENVIRONMENT, &remote);
    assert_eq!(plan.unmanaged(), ["session.created"]);
    assert!(plan.is_in_sync());
}

#[test]
fn the_offline_plan_trusts_the_lock() {
    let state = |lock: &Lock| Plan::offline(&catalog(), lock, ENVIRONMENT).actions()[0].state();
    assert_eq!(state(&Lock::default()), PlanState::New);
    assert_eq!(state(&lock(3)), PlanState::InSync);
    let mut drifted = Lock::default();
    drifted.set(
        ENVIRONMENT,
        "a",
        version(3),
        Fingerprint::from_bytes([0; 32]),
    );
    assert_eq!(state(&drifted), PlanState::Changed);
}

#[test]
fn only_the_locked_version_with_the_catalogs_schema_is_in_sync() {
    let catalog = catalog();
    let action = catalog.action("a").unwrap();
    let is_in_sync =
        |schema: RemoteSchema, lock: &Lock| Remote::is_in_sync(&schema, action, lock, ENVIRONMENT);
    assert!(is_in_sync(ours(1), &lock(1)));
    assert!(!is_in_sync(ours(2), &lock(1)) && !is_in_sync(other(1), &lock(1)));
    assert!(!is_in_sync(ours(1), &Lock::default()));
}
