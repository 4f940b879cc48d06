//! A plan as JSON. Keys may be added, but are never removed and never change their meaning.

use audit_catalog::{ChangeKind, Plan, PlanState, PlannedAction, SchemaChange};
use serde_json::{Value, json};

use super::files::Files;

/// Converts a plan. `url` is null if the service was not read.
pub(super) fn plan(plan: &Plan, files: &Files, url: Option<&str>) -> Value {
    let actions: Vec<_> = plan.actions().iter().map(action).collect();
    json!({
        "environment": plan.environment(),
        "url": url,
        "catalog": files.catalog_path.to_string_lossy(),
        "lock": files.lock_path.to_string_lossy(),
        "in_sync": plan.is_in_sync(),
        "actions": actions,
        "stale": plan.stale(),
        "unmanaged": plan.unmanaged(),
    })
}

fn action(action: &PlannedAction) -> Value {
    let changes: Vec<_> = action.changes().iter().map(change).collect();
    let state = match action.state() {
        PlanState::InSync => "in_sync",
        PlanState::New => "new",
        PlanState::Changed => "changed",
        _ => "unlocked",
    };
    json!({
        "action": action.name(),
        "state": state,
        "locked_version": action.locked(),
        "registered_version": action.registered(),
        "changes": changes,
    })
}

fn change(change: &SchemaChange) -> Value {
    let kind = match change.kind() {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        _ => "changed",
    };
    json!({
        "kind": kind,
        "place": change.place(),
        "before": change.before(),
        "after": change.after(),
        "breaking": change.is_breaking(),
    })
}
