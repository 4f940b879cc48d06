//! Fast seeding of a store, for measurements.

use serde_json::json;
use serde_json::value::RawValue;

use crate::app::App;
use crate::records::EventStatus;
use crate::store::{self, NewEvent, StoreError};
use crate::timestamp::Timestamp;

/// Events per transaction.
const BATCH: u32 = 20_000;

/// Every 1,000th event is rejected. Half of the others belong to `org_seed_0`, the rest to nine
/// more organizations.
const REJECTED: u32 = 1_000;
const ORGANIZATIONS: u32 = 10;
const ACTIONS: u32 = 40;

/// Stores `count` events of 10 organizations and 40 actions, one second apart, the last one now.
/// The rows are those that requests would have stored.
pub(crate) fn seed(app: &App, count: u32) -> Result<(), StoreError> {
    let now = app.now();
    app.store.transact(|tx| {
        (0..ORGANIZATIONS).try_for_each(|index| {
            store::add_organization(tx, &format!("org_seed_{index}"), None, now).map(drop)
        })
    })?;
    let first = now.as_millis() - i64::from(count) * 1_000;
    for start in (0..count).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        app.store.transact(|tx| {
            for index in start..count.min(start.saturating_add(BATCH)) {
                let at = Timestamp::from_millis(first + i64::from(index) * 1_000);
                store::insert_event(tx, event(index, at))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn event(index: u32, at: Timestamp) -> NewEvent {
    let organization = if index.is_multiple_of(2) {
        0
    } else {
        index / 2 % ORGANIZATIONS
    };
    let action = format!("seed.action_{}", index / 7 % ACTIONS);
    let rejected = index % REJECTED == REJECTED - 1;
    let event = json!({
        "action": action,
        "occurred_at": at.to_string(),
        "version": 1,
        "actor": { "id": format!("user_{}", index % 1_000), "type": "user", "name": "Ada Lovelace" },
        "targets": [{ "id": format!("document_{index}"), "type": "document", "name": "A document" }],
        "context": { "location": "203.0.113.7", "user_agent": "Mozilla/5.0 (X11; Linux x86_64)" },
        "metadata": { "outcome": "succeeded", "request_id": format!("{index:032x}") },
    });
    let (status, http_status, response, reasons) = if rejected {
        let response = r#"{"message":"Invalid Audit Log event.","code":"invalid_audit_log_event","errors":[{"instancePath":"/version"}]}"#;
        let reason = format!("/version: the action `{action}` has no version 9");
        (EventStatus::Rejected, 400, response, vec![reason])
    } else {
        (
            EventStatus::Accepted,
            200,
            r#"{"success":true}"#,
            Vec::new(),
        )
    };
    NewEvent {
        received_at: at,
        occurred_at: (!rejected).then(|| at.as_millis()),
        idempotency_key: None,
        organization_id: Some(format!("org_seed_{organization}")),
        action: Some(action),
        status,
        http_status,
        response: response.to_owned(),
        reasons,
        event: RawValue::from_string(event.to_string()).ok(),
    }
}
